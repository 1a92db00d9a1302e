import { realpathSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import type { z } from 'zod';
import { resolveManifestPath } from './manifest-path.ts';
import { parsedBy, Unacceptable } from '../parsed-type.ts';
import type { VolumeSpec } from '../service-spec.ts';

/** Whoever may write to one of these is root on the host. */
const ENGINE_SOCKETS = [
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/run/containerd/containerd.sock',
  '/run/podman/podman.sock',
  '/run/crio/crio.sock',
];

/** Where a path leads when all symbolic links are followed, as far as it exists. */
function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(followed(dirname(path)), basename(path));
  }
}

function holds(folder: string, path: string): boolean {
  return folder === path || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function refuseEngineSocket(source: string, sockets: readonly string[]): void {
  const real = followed(source);
  const socket = sockets.find((one) => [one, followed(one)].some((path) => holds(source, path) || holds(real, path)));
  const named = [source, real].some((path) => basename(path) === 'docker.sock');
  if (socket === undefined && !named) return;
  throw new Unacceptable(
    socket === undefined || socket === source
      ? 'mounts the Docker socket, which would make the service root on the host'
      : `mounts the Docker socket (${source} holds or leads to ${socket}), which would make the service root on the host`,
  );
}

function parseTarget(target: string): string {
  if (!target.startsWith('/'))
    throw new Unacceptable(`must mount at an absolute path of the container; "${target}" is none`);
  if (target.split('/').includes('..')) throw new Unacceptable(`must not hold '..' in the path of the container`);
  const path = posix.normalize(target).replace(/\/$/, '');
  if (path === '') throw new Unacceptable("must not be mounted over '/' of the container");
  return path;
}

function parseMode(mode: string | undefined): boolean {
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw') {
    throw new Unacceptable(`must end in ':ro' (read only), ':rw' or nothing; "${mode}" is neither`);
  }
  return mode === 'ro';
}

/** A mount as Docker writes it: 'name-or-path:/path/in/container[:ro]'. */
function parseVolume(value: unknown, baseDir: string, sockets: readonly string[]): VolumeSpec {
  const [source, target, mode, ...more] = typeof value === 'string' && !value.includes('\0') ? value.split(':') : [];
  if (!source || target === undefined || more.length > 0) {
    throw new Unacceptable(
      "must be 'source:/path/in/container[:ro]', where the source is a path or the name of a volume",
    );
  }
  const place = { target: parseTarget(target), readOnly: parseMode(mode) };
  if (!source.includes('/') && source !== '.' && source !== '..') {
    if (!/^[a-zA-Z0-9][\w.-]{0,99}$/.test(source)) {
      throw new Unacceptable(
        `must begin with the name of a volume or a path; "${source}" is neither (a path has a '/')`,
      );
    }
    return { kind: 'volume', source, ...place };
  }
  const path = resolveManifestPath(baseDir, source);
  refuseEngineSocket(path, sockets);
  return { kind: 'bind', source: path, ...place };
}

/**
 * The type of one entry of `volumes`.
 *
 * @param dockerHost the engine's address, whose socket is kept out of reach too.
 */
export function volumeType(baseDir: string, dockerHost: string | undefined): z.ZodType<VolumeSpec> {
  const own = dockerHost?.startsWith('unix://') ? [dockerHost.slice('unix://'.length)] : [];
  return parsedBy((value) => parseVolume(value, baseDir, [...ENGINE_SOCKETS, ...own]));
}

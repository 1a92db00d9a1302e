import { describe, expect, it } from 'vitest';
import { basesOf } from '../../../../../src/runtimes/docker/images/dockerfile-bases.ts';
import {
  BuildProgress,
  errorIn,
  printable,
  PullProgress,
} from '../../../../../src/runtimes/docker/images/image-progress.ts';
import { DOCKER_HUB, parseImageReference } from '../../../../../src/runtimes/docker/images/image-reference.ts';
import { imageRepository } from '../../../../../src/runtimes/docker/containers/names.ts';
import { librariesOf } from '../../../../../src/runtimes/docker/images/shared-libraries.ts';

describe('the bases of a Dockerfile', () => {
  it.each([
    ['FROM reveille-base:20\nRUN x', ['reveille-base:20']],
    [
      '# FROM no\nARG BASE=reveille-base:20\nFROM ${BASE} AS build\nFROM build\nCOPY --from=build a b',
      ['reveille-base:20'],
    ],
    ['ARG V=20\nARG B="node:$V-slim"\nfrom --platform=linux/amd64 $B as one\nFROM scratch', ['node:20-slim']],
    ['FROM \\\n  a:1\nFROM b@sha256:00\nFROM a:1', ['a:1', 'b@sha256:00']],
    ['FROM ${X:-fallback}', ['fallback']],
    ['FROM a\nARG X=ignored\nFROM $X', ['a']],
    ['', []],
  ])('of %j are %j', (text, bases) => {
    expect(basesOf(text)).toEqual(bases);
  });

  it('follow the build arguments', () => {
    expect(basesOf('ARG BASE=a\nFROM $BASE', { BASE: 'b:2' })).toEqual(['b:2']);
  });
});

describe('an image name', () => {
  it.each([
    ['mongo:8', { registry: DOCKER_HUB, name: 'mongo', tag: '8' }],
    ['mongo', { registry: DOCKER_HUB, name: 'mongo', tag: 'latest' }],
    ['acme/app', { registry: DOCKER_HUB, name: 'acme/app', tag: 'latest' }],
    ['ghcr.io/acme/app:1', { registry: 'ghcr.io', name: 'ghcr.io/acme/app', tag: '1' }],
    ['localhost:5000/app', { registry: 'localhost:5000', name: 'localhost:5000/app', tag: 'latest' }],
    ['ghcr.io/a@sha256:12', { registry: 'ghcr.io', name: 'ghcr.io/a@sha256:12' }],
  ])('%s is taken apart as the docker CLI does', (image, expected) => {
    expect(parseImageReference(image)).toEqual(expected);
  });

  it('of a build is one that Docker allows', () => {
    expect(imageRepository('Alkimia.localhost', 'back_End')).toBe('reveille/alkimia-localhost-back-end');
  });
});

describe('the progress of a build', () => {
  it('is told by its steps and never falls', () => {
    const progress = new BuildProgress();
    expect(progress.read({ stream: 'Step 1/4 : FROM a\n' })).toEqual([
      { phase: 'build', detail: 'Step 1/4 : FROM a', ratio: 0 },
    ]);
    expect(progress.read({ stream: 'Step 3/4 : COPY . .' })[0]?.ratio).toBe(0.5);
    expect(progress.read({ stream: ' ---> 1f\n' })[0]?.ratio).toBe(0.5);
    expect(progress.read({ stream: '\n' })).toEqual([]);
  });

  it('is printable', () => {
    expect(printable('\u001b[31mred\u001b[0m\r\nbell\u0007\n\n')).toEqual(['red', 'bell']);
    expect(printable('x'.repeat(10_000))[0]?.length).toBeLessThan(600);
  });

  it('shows a failure in a stream that began well', () => {
    expect(errorIn({ error: 'short', errorDetail: { message: 'long' } })).toBe('long');
    expect(errorIn({ stream: 'fine' })).toBeUndefined();
  });
});

describe('the progress of a pull', () => {
  it('is the share of the bytes that are known, and never falls', () => {
    const progress = new PullProgress('a:1');
    const layer = (id: string, current: number, total: number): number | undefined =>
      progress.read({ status: 'Downloading', id, progressDetail: { current, total } }).ratio;
    expect(layer('one', 50, 100)).toBe(0.5);
    expect(layer('two', 0, 300)).toBe(0.5);
    expect(progress.read({ status: 'Download complete', id: 'one' }).ratio).toBe(0.5);
    expect(layer('two', 300, 300)).toBe(1);
  });
});

describe('the libraries of an executable', () => {
  it('are the files that ldd names, the loader with them', () => {
    const glibc =
      '\tlinux-vdso.so.1 (0x00007ff)\n\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f4)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f5)\n';
    expect(librariesOf(glibc)).toEqual(['/lib/x86_64-linux-gnu/libdl.so.2', '/lib64/ld-linux-x86-64.so.2']);
  });

  it('go by both names with musl', () => {
    const musl =
      '\t/lib/ld-musl-x86_64.so.1 (0x7f0)\n\tlibstdc++.so.6 => /usr/lib/libstdc++.so.6 (0x7f1)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f0)\n';
    expect(librariesOf(musl)).toEqual([
      '/lib/ld-musl-x86_64.so.1',
      '/usr/lib/libstdc++.so.6',
      '/lib/libc.musl-x86_64.so.1',
    ]);
  });
});

import { relative, resolve } from 'node:path';
import type { Manifest } from '../config/service-spec.ts';
import type { Settings } from '../config/settings.ts';

/** The host of the dashboard and the API. */
export function adminHostOf({ adminSubdomain, domain }: Settings): string {
  return `${adminSubdomain}.${domain}`;
}

/** Every host of the manifest's routes. */
export function hostsOf(manifest: Manifest): string[] {
  return [...manifest.values()].flatMap(({ routes }) => routes.map(({ host }) => host));
}

/** Where the management API is served, to the command line and to the proxy that forwards its host there. */
export function controlSocketOf(settings: Settings): string {
  return socketOf(settings, 'control.sock');
}

/** Where the control process and the proxy processes find each other. */
export function linkSocketOf(settings: Settings): string {
  return socketOf(settings, 'link.sock');
}

/** The path of a Unix socket, as short as can be: there is room for about a hundred characters. */
function socketOf({ stateDir }: Settings, name: string): string {
  return relative(process.cwd(), resolve(stateDir, name));
}

import pc from 'picocolors';
import type { ServiceSpec } from '../config/service-spec.ts';
import type { CodedError } from '../lib/coded-error.ts';

export interface StartupFacts {
  readonly services: Iterable<ServiceSpec>;
  readonly publicUrl: (host: string) => string;
  readonly adminHost: string;
  /** Where the admin token is written; undefined when the operator has set one. */
  readonly tokenFile: string | undefined;
  readonly runtime: string;
  /** What everyone should know about the runtime, such as that no engine answers. */
  readonly notice: string | undefined;
  readonly broker: string;
  readonly store: string;
  /** Present when the certificate is ours and browsers do not know its authority yet. */
  readonly caPath: string | undefined;
  readonly fellBack: readonly CodedError[];
}

/** What the operator reads when the daemon is up: where everything is. */
export function startupReport(facts: StartupFacts): string {
  const rows = [...facts.services].flatMap(({ name, routes }) =>
    urlsOf(routes, facts.publicUrl).map((url) => [name, url]),
  );
  const width = Math.max(9, ...rows.map(([name = '']) => name.length));
  const line = (label: string, text: string): string => `  ${pc.bold(label.padEnd(width))}  ${text}`;
  return [
    '',
    pc.yellow('  Reveille is up.'),
    '',
    ...rows.map(([name = '', url = '']) => line(name, pc.cyan(url))),
    line('dashboard', pc.cyan(facts.publicUrl(facts.adminHost))),
    '',
    line('runtime', facts.runtime),
    line('store', facts.store),
    line('mqtt', facts.broker),
    ...(facts.tokenFile === undefined ? [] : [line('token', `in ${facts.tokenFile}`)]),
    ...(facts.caPath === undefined
      ? []
      : [line('tls', 'made for development; `npm run reveille -- certs` says how to trust it')]),
    ...facts.fellBack.map(({ message }) => `  ${pc.yellow('!')} ${message}`),
    ...(facts.notice === undefined ? [] : ['', `  ${pc.yellow('!')} ${facts.notice}`]),
    '',
  ].join('\n');
}

function urlsOf(routes: ServiceSpec['routes'], publicUrl: (host: string) => string): string[] {
  return routes.map(({ host, path }) => publicUrl(host) + (path === '/' ? '' : path));
}

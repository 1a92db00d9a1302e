import { reveille } from '../contestants/reveille.ts';
import { hostsScript, wrk } from '../load/wrk.ts';
import type { Case } from './case.ts';
import { interleaved } from './rounds.ts';

const HOSTS: Readonly<Record<string, number>> = { Reveille: 10, 'Reveille, 10000 hosts': 10_000 };

export const manyHosts: Case = {
  name: 'many-hosts',
  title: 'GET of 29 bytes, HTTP/1.1, each request for the next of 10 or of 10,000 hosts in the manifest',
  run: (arena) =>
    interleaved(arena, [reveille(), reveille(10_000)], (entrant, seconds) => {
      const script = { dir: arena.site.dir, text: hostsScript(HOSTS[entrant.name] ?? 1) };
      return wrk({ url: entrant.url('/'), connections: 64, seconds, script });
    }),
};

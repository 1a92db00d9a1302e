import { fileURLToPath } from 'node:url';
import type { Ability, Contestant } from './contestant.ts';

/** A program of bench/peers, which reads ports and certificate from its environment. */
export function nodePeer(name: string, file: string, abilities: readonly Ability[]): Contestant {
  const path = fileURLToPath(new URL(`../peers/${file}`, import.meta.url));
  return {
    name,
    abilities,
    prepare({ certPath, keyPath, upstreamPort, echoPort }, _dir, port) {
      const ports = { PORT: String(port), UPSTREAM_PORT: String(upstreamPort), ECHO_PORT: String(echoPort) };
      const env = { NODE_ENV: 'production', CERT: certPath, KEY: keyPath, ...ports };
      return Promise.resolve({ command: [process.execPath, path], env });
    },
  };
}

import { hasProgram } from '../machine.ts';
import { caddy } from './caddy.ts';
import type { Contestant } from './contestant.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { nodePeer } from './node-peer.ts';
import { reveille } from './reveille.ts';

const all: readonly Contestant[] = [
  reveille(),
  nginx,
  haproxy,
  caddy,
  nodePeer('http-proxy', 'http-proxy.mjs', ['proxy', 'websocket']),
  nodePeer('httpxy', 'httpxy.mjs', ['proxy', 'websocket']),
  // No proxy at all: it answers by itself, and so shows what TLS, HTTP and WebSocket in Node cost before anything is forwarded.
  nodePeer('bare https', 'bare-https.mjs', ['websocket']),
  // Unfit for anything else: what the server, the TLS and the sockets of Node take when somebody else is asked, without a rule.
  nodePeer('bare proxy', 'bare-proxy.mjs', []),
];

/** Those that can be measured on this machine, and what is missing for the others. */
export function contestantsHere(): { readonly present: readonly Contestant[]; readonly absent: readonly string[] } {
  const isPresent = ({ program }: Contestant): boolean => program === undefined || hasProgram(program);
  return { present: all.filter(isPresent), absent: all.filter((each) => !isPresent(each)).map(({ name }) => name) };
}

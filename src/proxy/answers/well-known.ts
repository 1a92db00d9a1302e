/** A path of Reveille's own that exists on every service host. */
export interface WellKnown {
  readonly kind: 'status' | 'events';
  /** The path whose service is asked for: several services may share a host. Undefined asks for the host's own. */
  readonly routedPath: string | undefined;
}

const PREFIX = '/.well-known/reveille';
const KINDS: ReadonlyMap<string, WellKnown['kind']> = new Map([
  [PREFIX, 'status'],
  [`${PREFIX}/events`, 'events'],
]);

/** What a request target asks of Reveille itself; undefined when it is meant for the service. */
export function wellKnown(target: string): WellKnown | undefined {
  if (!target.startsWith(PREFIX)) return undefined;
  const [path = '', query = ''] = target.split('?', 2);
  const kind = KINDS.get(path);
  return kind && { kind, routedPath: new URLSearchParams(query).get('path') ?? undefined };
}

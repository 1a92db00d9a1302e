import pc from 'picocolors';

const COLOURS: Readonly<Record<string, (text: string) => string>> = {
  awake: pc.green,
  ready: pc.green,
  completed: pc.green,
  waking: pc.yellow,
  degraded: pc.yellow,
  draining: pc.yellow,
  unhealthy: pc.yellow,
  failed: pc.red,
};

/** The status of a service or the state of an instance, in its colour. */
export function coloured(status: string): string {
  return (COLOURS[status] ?? pc.dim)(status);
}

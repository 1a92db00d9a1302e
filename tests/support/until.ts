import { vi } from 'vitest';

/** Only what hangs takes so long; what a busy machine delays does not. */
const HANGS_MS = 30_000;
const EVERY_MS = 20;

export interface Patience {
  /** Milliseconds until it counts as hanging; more for what takes its time on any machine. */
  readonly timeout?: number;
  /** Milliseconds between two looks; more where a look costs something, fewer for what passes quickly. */
  readonly interval?: number;
}

/** For looks at the management API, which takes a hundred requests a minute of one client. */
export const SPARING: Patience = { timeout: 60_000, interval: 800 };

/** Looks until there is something true, and resolves with it; what the look throws is a failure at once. */
export function until<T>(
  look: () => T | Promise<T>,
  { timeout = HANGS_MS, interval = EVERY_MS }: Patience = {},
): ReturnType<typeof vi.waitUntil<T>> {
  return vi.waitUntil(look, { timeout, interval });
}

/** Tries until nothing is thrown, and resolves with what the try gave; in the end it fails with what was thrown last. */
export function untilPasses<T>(
  attempt: () => T | Promise<T>,
  { timeout = HANGS_MS, interval = EVERY_MS }: Patience = {},
): Promise<T> {
  return vi.waitFor(attempt, { timeout, interval });
}

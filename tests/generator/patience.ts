/** How long anybody waits for anything, in milliseconds: far more than a busy machine needs, waited for in full only by what hangs. */
export const HANG_MS = 20_000;

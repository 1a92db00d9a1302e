/** What has become of a promise so far. */
export interface Watched<T> {
  settled: boolean;
  value?: T;
  error?: unknown;
}

/** Follows a promise without waiting for it; a rejection that nobody awaits hurts nobody. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { settled: false };
  promise.then(
    (value) => Object.assign(watched, { settled: true, value }),
    (error: unknown) => Object.assign(watched, { settled: true, error }),
  );
  return watched;
}

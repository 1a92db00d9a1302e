/** What dockerode gives for a long answer: an HTTP response. Leaving a loop over it early ends the connection. */
export interface EngineStream extends AsyncIterable<Buffer> {
  destroy(error?: Error): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** Takes what dockerode calls a stream as what it is, with a listener for the error that may come before anybody reads. */
export function engineStream(answer: NodeJS.ReadableStream): EngineStream {
  const stream = answer as unknown as EngineStream;
  stream.on('error', () => undefined);
  return stream;
}

/** Destroys the stream when the signal aborts. Returns the undoing. */
export function destroyOnAbort(stream: EngineStream, signal: AbortSignal | undefined): () => void {
  const end = (): void => stream.destroy();
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end, { once: true });
  return () => signal?.removeEventListener('abort', end);
}

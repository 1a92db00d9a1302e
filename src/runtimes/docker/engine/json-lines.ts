/** A line longer than this is no message of the engine. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Cuts raw chunks into JSON values, one a line. A line may come in many chunks, a chunk may hold many lines. */
export class JsonLineSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** The values that end in this chunk. A line that is not JSON, or has no end, throws. */
  push(chunk: Buffer): unknown[] {
    const values: unknown[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      const line = this.#take();
      if (line !== '') values.push(JSON.parse(line));
    }
    this.#keep(chunk.subarray(from));
    return values;
  }

  /** The value of a last line without its line feed. */
  end(): unknown[] {
    const line = this.#take();
    return line === '' ? [] : [JSON.parse(line)];
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > MAX_LINE_BYTES) throw new Error('a line of the engine has no end');
    this.#pending.push(part);
  }

  #take(): string {
    const line = Buffer.concat(this.#pending).toString('utf8').trim();
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }
}

/** The JSON values of a stream, as they come. Leaving the loop early destroys the stream. */
export async function* jsonLines(stream: AsyncIterable<unknown>): AsyncGenerator<unknown, void, undefined> {
  const splitter = new JsonLineSplitter();
  for await (const chunk of stream) yield* splitter.push(chunk as Buffer);
  yield* splitter.end();
}

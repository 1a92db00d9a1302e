import { StringDecoder } from 'node:string_decoder';

/** What one line may have before it is cut, in characters; Docker cuts at the same length. */
export const MAX_LINE_LENGTH = 16_384;

/** Turns a stream of bytes into lines. A line that is too long comes in pieces, so nothing is held without bound. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(chunk: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) this.#line(part);
    while (this.#rest.length > MAX_LINE_LENGTH) {
      this.#take(this.#rest.slice(0, MAX_LINE_LENGTH));
      this.#rest = this.#rest.slice(MAX_LINE_LENGTH);
    }
  }

  /** The last line may lack its end. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#line(rest);
  }

  #line(text: string): void {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    for (let at = 0; at === 0 || at < line.length; at += MAX_LINE_LENGTH)
      this.#take(line.slice(at, at + MAX_LINE_LENGTH));
  }
}

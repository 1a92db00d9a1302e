import { stripVTControlCharacters } from 'node:util';
import type { PrepareProgress } from '../../../fleet/runtime.ts';

/** What the engine writes, line by line, while it builds or pulls. */
export interface EngineMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

const MAX_DETAIL = 500;

/** The reason in a message that ends a build or a pull; it comes in a stream that began with status 200. */
export function errorIn({ error, errorDetail }: EngineMessage): string | undefined {
  return errorDetail?.message ?? error;
}

/** Lines for people: without colours, control characters and empty lines, each bounded. */
export function printable(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) =>
      stripVTControlCharacters(line)
        .replace(/\p{Cc}/gu, ' ')
        .trimEnd(),
    )
    .filter((line) => line !== '')
    .map((line) => line.slice(0, MAX_DETAIL));
}

/** Follows a build: `Step 3/7` is the only thing by which its length can be told. */
export class BuildProgress {
  #ratio = 0;

  read({ stream, status }: EngineMessage): PrepareProgress[] {
    return printable(stream ?? status ?? '').map((detail) => {
      const step = /^Step (\d+)\/(\d+) :/.exec(detail);
      if (step) this.#ratio = Math.max(this.#ratio, (Number(step[1]) - 1) / Number(step[2]));
      return { phase: 'build', detail, ratio: this.#ratio };
    });
  }
}

/** Follows a pull: the share of the bytes of all layers that were announced. */
export class PullProgress {
  readonly #layers = new Map<string, { current: number; total: number }>();
  #ratio = 0;
  readonly #image: string;

  constructor(image: string) {
    this.#image = image;
  }

  read({ status, id, progressDetail }: EngineMessage): PrepareProgress {
    const { current, total } = progressDetail ?? {};
    if (id && status === 'Downloading' && current !== undefined && total) this.#layers.set(id, { current, total });
    const known = id === undefined ? undefined : this.#layers.get(id);
    if (known && (status === 'Download complete' || status === 'Pull complete')) known.current = known.total;
    const sum = (pick: 'current' | 'total'): number =>
      [...this.#layers.values()].reduce((all, one) => all + one[pick], 0);
    // Layers are announced one after the other, so the share may fall; what people see does not.
    if (this.#layers.size > 0) this.#ratio = Math.max(this.#ratio, Math.min(1, sum('current') / sum('total')));
    const what = [status, id].filter(Boolean).join(' ');
    return { phase: 'pull', detail: `Pulling ${this.#image}: ${what}`.slice(0, MAX_DETAIL), ratio: this.#ratio };
  }
}

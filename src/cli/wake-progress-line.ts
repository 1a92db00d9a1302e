import type { EventAnswer } from '../management/contract.ts';
import type { Output } from './cli-context.ts';
import type { DaemonClient } from './daemon-client.ts';

const PHASES: Readonly<Record<string, string>> = {
  'wake.requested': 'waking',
  'build.started': 'building its image',
  'build.finished': 'image built',
  'instance.stopped': 'stopped',
  'instance.starting': 'starting',
  'instance.ready': 'ready',
};
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 100;

/** One line on a terminal that says how far a wake is; gone once it is over. */
export class WakeProgressLine {
  readonly #out: Output;
  readonly #daemon: DaemonClient;
  readonly #service: string;
  readonly #ended = new AbortController();
  readonly #beganMs = performance.now();
  #phase = 'waking';
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  #listening: Promise<void> = Promise.resolve();

  constructor(out: Output, daemon: DaemonClient, service: string) {
    this.#out = out;
    this.#daemon = daemon;
    this.#service = service;
  }

  start(): void {
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    this.#listening = this.#listen();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort();
    await this.#listening;
    if (this.#drawn > 0) this.#out.write('\r\x1b[K');
  }

  #draw(): void {
    const frame = FRAMES[this.#drawn % FRAMES.length] ?? '';
    const seconds = ((performance.now() - this.#beganMs) / 1000).toFixed(1);
    this.#drawn += 1;
    this.#out.write(`\r\x1b[K${frame} ${this.#service}: ${this.#phase} (${seconds} s)`);
  }

  async #listen(): Promise<void> {
    const path = `/api/events?service=${encodeURIComponent(this.#service)}`;
    try {
      for await (const { type } of this.#daemon.listen<EventAnswer>({ path, signal: this.#ended.signal })) {
        this.#phase = PHASES[type] ?? this.#phase;
      }
    } catch {
      // The line then says less; the wake itself is told elsewhere.
    }
  }
}

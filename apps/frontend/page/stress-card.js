import { drawBars } from '../../shared/page/bar-chart.js';
import { element, member, setPill, setText } from '../../shared/page/elements.js';
import { call } from './backend.js';

const SECONDS = 60;

/** The card that starts CPU load and shows what it does; it listens to the backend only while there is something to hear. */
export class StressCard {
  #onCall;
  /** @type {EventSource | undefined} */
  #events;
  /** @type {number[]} */
  #readings = [];

  /** @param {(made: import('./backend.js').Call) => void} onCall */
  constructor(onCall) {
    this.#onCall = onCall;
    const intensity = element('intensity', HTMLInputElement);
    intensity.addEventListener('input', () => setText('intensity-text', `${intensity.value} % of one core`));
    setText('intensity-text', `${intensity.value} % of one core`);
    element('stress-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const duration = element('duration', HTMLSelectElement).value;
      void this.#ask(`/api/stress?intensity=${intensity.value}&duration=${duration}`);
    });
    element('stress-stop', HTMLButtonElement).addEventListener('click', () => void this.#ask('/api/stress/stop'));
    this.#draw();
  }

  /** @param {string} path */
  async #ask(path) {
    const made = await call(path, 'POST');
    this.#onCall(made);
    if (made.status === '202') this.#listen();
  }

  #listen() {
    this.#events?.close();
    const events = new EventSource('/api/events');
    this.#events = events;
    events.addEventListener('hello', (event) => this.#take(String(event.data)));
    events.addEventListener('tick', (event) => this.#take(String(event.data)));
    events.addEventListener('error', () => setPill('stress-state', 'listening again', 'bad'));
  }

  /** @param {string} data */
  #take(data) {
    const body = /** @type {unknown} */ (JSON.parse(data));
    const cpu = Number(member(body, 'cpuPercent'));
    const run = member(member(body, 'stress'), 'run');
    this.#readings = [...this.#readings, cpu].slice(-SECONDS);
    setText('cpu', `${cpu} %`);
    this.#draw();
    if (run) {
      const left = Math.ceil((Number(member(run, 'totalMs')) - Number(member(run, 'elapsedMs'))) / 1000);
      setPill('stress-state', `${String(member(run, 'intensity'))} % for ${Math.max(0, left)} s more`, 'true');
    } else if (cpu < 10) {
      // The curve has come down: nothing more to see, and an open stream would keep the backend awake.
      this.#events?.close();
      this.#events = undefined;
      setPill('stress-state', 'idle', 'false');
    }
  }

  #draw() {
    drawBars(
      'cpu-chart',
      this.#readings.map((value) => ({ value: Math.min(100, value), failed: 0 })),
      100,
      SECONDS,
    );
  }
}

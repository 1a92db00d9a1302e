import { drawBars } from '../../shared/page/bar-chart.js';
import { element, member, setPill, setText } from '../../shared/page/elements.js';

const SECONDS = 60;
/** @type {Record<string, 'true' | 'false' | 'bad'>} */
const PHASES = { running: 'true', finished: 'false', stopped: 'false', failed: 'bad' };

/** @type {EventSource | undefined} */
let events;

for (const id of ['constant', 'incremental']) {
  const form = element(id, HTMLFormElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const entries = [...new FormData(form)].flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    );
    void ask(`${form.getAttribute('action') ?? ''}?${new URLSearchParams(entries).toString()}`);
  });
}
element('stop', HTMLButtonElement).addEventListener('click', () => void ask('/stop'));
drawBars('chart', [], 1, SECONDS);
await look();

/** @param {string} path */
async function ask(path) {
  const problem = element('problem', HTMLElement);
  problem.hidden = true;
  try {
    const response = await fetch(path, { method: 'POST' });
    const body = /** @type {unknown} */ (await response.json());
    if (!response.ok) throw new Error(String(member(body, 'detail')));
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  }
  await look();
}

/** Shows how things stand, and listens while a run is under way: an open event stream would keep this service awake for ever. */
async function look() {
  const response = await fetch('/status');
  const status = /** @type {unknown} */ (await response.json());
  show(status);
  if (!member(status, 'running') || events) return;
  const opened = new EventSource('/events');
  events = opened;
  opened.addEventListener('status', (event) => {
    const latest = /** @type {unknown} */ (JSON.parse(String(event.data)));
    show(latest);
    if (member(latest, 'running')) return;
    opened.close();
    events = undefined;
  });
}

/** @param {unknown} status */
function show(status) {
  setText('target', String(member(status, 'target')) || 'nowhere: DOMAIN is not set');
  const run = member(status, 'run');
  element('stop', HTMLButtonElement).disabled = member(status, 'running') !== true;
  if (!run) return;
  const phase = String(member(run, 'phase'));
  setText('run-id', String(member(run, 'id')));
  setPill('phase', phase, PHASES[phase] ?? 'false');
  element('progress', HTMLProgressElement).value = Number(member(run, 'elapsedMs')) / Number(member(run, 'totalMs'));
  showLoad(member(run, 'load'));
  setText('backend', describeBackend(member(run, 'backend')));
}

/** @param {unknown} load */
function showLoad(load) {
  for (const name of ['sent', 'answered', 'failed', 'inFlight', 'skipped']) {
    setText(name, Number(member(load, name)).toLocaleString('en'));
  }
  const latency = member(load, 'latencyMs');
  for (const name of ['p50', 'p90', 'p99', 'max']) {
    const value = member(latency, name);
    setText(name, typeof value === 'number' ? `${value < 100 ? value.toFixed(1) : Math.round(value)} ms` : '–');
  }
  fill('instances', member(load, 'instances'));
  fill('statuses', {
    .../** @type {object} */ (member(load, 'statuses')),
    .../** @type {object} */ (member(load, 'errors')),
  });
  const seconds = /** @type {{ answered: number, failed: number }[]} */ (member(load, 'seconds') ?? []);
  const peak = Math.max(1, ...seconds.map(({ answered, failed }) => answered + failed));
  drawBars(
    'chart',
    seconds.map(({ answered, failed }) => ({ value: answered, failed })),
    peak,
    SECONDS,
  );
  setText('peak', seconds.length > 0 ? `· ${peak} at most` : '');
}

/**
 * @param {string} id
 * @param {unknown} counts
 */
function fill(id, counts) {
  const rows = Object.entries(/** @type {Record<string, number>} */ (counts ?? {})).sort(([a], [b]) =>
    a.localeCompare(b),
  );
  const parts = rows.flatMap(([name, count]) => [cell('dt', name), cell('dd', count.toLocaleString('en'))]);
  element(id, HTMLElement).replaceChildren(...parts);
}

/**
 * @param {string} name
 * @param {string} text
 */
function cell(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** @param {unknown} answer */
function describeBackend(answer) {
  if (!answer) return 'Waiting for its answer; it may have to wake first.';
  const error = member(answer, 'error');
  if (typeof error === 'string') return error;
  const body = member(answer, 'body');
  if (member(answer, 'status') !== 202)
    return `It refused: ${String(member(answer, 'status'))} ${text(member(body, 'detail'))}`;
  return `${String(member(body, 'instance'))} took it on as ${String(member(body, 'id'))}.`;
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' ? value : '';
}

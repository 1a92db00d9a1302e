import { drawBars } from '../../shared/page/bar-chart.js';
import { element, member, setPill, setText } from '../../shared/page/elements.js';
import { backendOrigin, call } from './backend.js';
import { formatMs, RequestLog } from './request-log.js';
import { SocketCard } from './socket-card.js';
import { StressCard } from './stress-card.js';

/** @type {Record<string, string>} */
const HEADLINES = {
  asleep: 'The backend is asleep.',
  waking: 'Rise and shine …',
  awake: 'Good morning.',
  failed: 'It does not get up.',
};
const CHART_CALLS = 40;
const STATUS_EVERY_MS = 2_000;
/** A forgotten tab stops asking, so that this frontend may sleep too. */
const STATUS_FOR_MS = 10 * 60_000;

const config = /** @type {import('./backend.js').Config | null} */ ((await call('/config.json')).body);
const origin = backendOrigin(config);
const log = new RequestLog(element('log', HTMLElement));
/** @type {{ value: number, failed: number }[]} */
let latencies = [];
let lastUse = performance.now();

setText('direct-host', new URL(origin).hostname);
setText('frontend', config?.instance ?? 'this frontend');
element('call', HTMLButtonElement).addEventListener('click', (event) => void callBackend('/api/instance', event));
element('call-direct', HTMLButtonElement).addEventListener('click', (event) => {
  void callBackend(`${origin}/api/instance`, event);
});
element('clear', HTMLButtonElement).addEventListener('click', () => log.clear());
document.addEventListener('pointerdown', () => (lastUse = performance.now()));
document.addEventListener('keydown', () => (lastUse = performance.now()));
document.addEventListener('visibilitychange', () => void askStatus());

new SocketCard(origin);
new StressCard((made) => show(made));

await callBackend('/api/instance');
await askStatus();
setInterval(() => void askStatus(), STATUS_EVERY_MS);

/**
 * @param {string} url
 * @param {Event} [event]
 */
async function callBackend(url, event) {
  const button = event?.currentTarget;
  if (button instanceof HTMLButtonElement) button.disabled = true;
  // An awake backend answers before this shows.
  const patience = setTimeout(() => {
    setStatus('waking');
    setText('lead', 'The call is held until the backend is ready …');
  }, 150);
  const made = await call(url);
  clearTimeout(patience);
  if (button instanceof HTMLButtonElement) button.disabled = false;
  show(made);
}

/** @param {import('./backend.js').Call} made */
function show(made) {
  log.add(made);
  const problem = member(made.body, 'detail');
  if (!made.ok) {
    setText('lead', `No answer from the backend: ${typeof problem === 'string' ? problem : made.status}.`);
    setStatus('unknown');
    return;
  }
  const woke = made.wakeMs === null ? '' : ` It was asleep and woke in ${formatMs(made.wakeMs)}.`;
  setText('lead', `${made.instance} answered in ${formatMs(made.latencyMs)}.${woke}`);
  setStatus('awake');
  setText('instance', made.instance);
  setText('latency', formatMs(made.latencyMs));
  latencies = [...latencies, { value: made.latencyMs, failed: 0 }].slice(-CHART_CALLS);
  drawBars('latency-chart', latencies, Math.max(...latencies.map(({ value }) => value)), CHART_CALLS);
  setText('wake', made.wakeMs === null ? 'none' : formatMs(made.wakeMs));
  if (member(made.body, 'uptimeMs') === undefined) return;
  setText('uptime', formatDuration(Number(member(made.body, 'uptimeMs'))));
  setText('requests', String(member(made.body, 'requests')));
  setText('memory', `${Math.round(Number(member(made.body, 'memoryBytes')) / 1024 ** 2)} MB`);
  setText('node', String(member(made.body, 'node')).replace(/^v/, ''));
}

async function askStatus() {
  if (document.hidden || performance.now() - lastUse > STATUS_FOR_MS) return;
  const status = member((await call('/backend-status')).body, 'status');
  if (typeof status === 'string' && status !== 'unknown') setStatus(status);
}

/** @param {string} status  as `/.well-known/reveille` has it */
function setStatus(status) {
  if (document.body.dataset.status === status) return;
  document.body.dataset.status = status;
  setPill(
    'status',
    status,
    status === 'awake' ? 'true' : status === 'failed' || status === 'degraded' ? 'bad' : 'false',
  );
  setText('headline', HEADLINES[status] ?? 'Good morning.');
  if (status === 'asleep') setText('lead', 'Nobody called for a while, so the backend sleeps. The next call wakes it.');
}

/** @param {number} ms */
function formatDuration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

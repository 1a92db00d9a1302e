/** @typedef {import('./backend.js').Call} Call */

const MAX_ROWS = 50;

/** The table of calls, newest first. */
export class RequestLog {
  #body;
  #empty;

  /** @param {HTMLElement} body */
  constructor(body) {
    this.#body = body;
    this.#empty = body.firstElementChild;
  }

  /** @param {Call} call */
  add({ at, label, status, ok, instance, latencyMs, wakeMs }) {
    this.#empty?.remove();
    const row = document.createElement('tr');
    const woke = wakeMs === null ? '' : ` (woke in ${formatMs(wakeMs)})`;
    row.append(
      cell(at.toLocaleTimeString([], { hour12: false })),
      cell(label),
      cell(status, ok ? 'good' : 'bad'),
      cell(instance),
      cell(`${formatMs(latencyMs)}${woke}`, 'number'),
    );
    this.#body.prepend(row);
    while (this.#body.children.length > MAX_ROWS) this.#body.lastElementChild?.remove();
  }

  clear() {
    this.#body.replaceChildren(...(this.#empty ? [this.#empty] : []));
  }
}

/** @param {number} ms */
export function formatMs(ms) {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/**
 * @param {string} text
 * @param {string} [className]
 */
function cell(text, className = '') {
  const td = document.createElement('td');
  td.textContent = text;
  td.className = className;
  return td;
}

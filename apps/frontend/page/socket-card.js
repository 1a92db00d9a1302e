import { element, member, setPill, setText } from '../../shared/page/elements.js';

const MAX_MESSAGES = 5;

/** The card with the WebSocket to `wss://server.DOMAIN/ws`. */
export class SocketCard {
  #origin;
  /** @type {WebSocket | undefined} */
  #socket;

  /** @param {string} origin  of the backend */
  constructor(origin) {
    this.#origin = origin;
    element('socket-toggle', HTMLButtonElement).addEventListener('click', () => this.#toggle());
    element('socket-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const { value } = element('socket-text', HTMLInputElement);
      if (this.#socket?.readyState !== WebSocket.OPEN || value === '') return;
      this.#socket.send(value);
      show(value, 'sent');
    });
  }

  #toggle() {
    if (this.#socket) this.#socket.close(1000);
    else this.#open();
  }

  #open() {
    const begun = performance.now();
    const socket = new WebSocket(`${this.#origin.replace(/^http/, 'ws')}/ws`);
    this.#socket = socket;
    setPill('socket-state', 'connecting', 'false');
    setText('socket-toggle', 'Close the socket');
    socket.addEventListener('open', () => {
      setPill('socket-state', `open after ${Math.round(performance.now() - begun)} ms`, 'true');
      element('socket-send', HTMLButtonElement).disabled = false;
    });
    socket.addEventListener('message', (event) => show(describe(String(event.data))));
    socket.addEventListener('close', ({ code }) => {
      this.#socket = undefined;
      element('socket-send', HTMLButtonElement).disabled = true;
      setText('socket-toggle', 'Open the socket');
      setPill('socket-state', code === 1000 ? 'closed' : `closed (${code})`, code === 1000 ? 'false' : 'bad');
    });
  }
}

/** @param {string} data */
function describe(data) {
  try {
    const body = /** @type {unknown} */ (JSON.parse(data));
    const instance = member(body, 'instance');
    if (typeof instance === 'string')
      return `${instance}: ${String(member(body, 'type'))} ${String(member(body, 'count'))}`;
  } catch {
    // What is not JSON is an echo.
  }
  return data;
}

/**
 * @param {string} text
 * @param {string} [className]
 */
function show(text, className = '') {
  const list = element('messages', HTMLOListElement);
  const item = document.createElement('li');
  item.textContent = text;
  item.className = className;
  list.append(item);
  while (list.children.length > MAX_MESSAGES) list.firstElementChild?.remove();
}

/** The calls that the page makes to the backend. */

/**
 * @typedef {object} Config
 * @property {string} instance
 * @property {string} domain
 * @property {string | null} backendHost
 * @property {string | null} backendOrigin
 * @property {string} protocol
 */

/**
 * @typedef {object} Call
 * @property {Date} at
 * @property {string} label       `GET /api/instance`
 * @property {string} status      `200`, or why there is none
 * @property {boolean} ok
 * @property {string} instance
 * @property {number} latencyMs
 * @property {number | null} wakeMs   how much of the latency was waking, as the proxy says in Server-Timing
 * @property {unknown} body
 */

/**
 * The page came through the proxy, so the scheme and port of its own address are those of the backend as well. Where the server
 * knows no domain, the first label of the host is replaced.
 *
 * @param {Config | null} config
 * @returns {string} such as `https://server.alkimia.localhost:8443`
 */
export function backendOrigin(config) {
  const { protocol, host, hostname } = window.location;
  if (config?.backendHost && hostname.endsWith(`.${config.domain}`)) {
    return `${protocol}//${host.replace(hostname, config.backendHost)}`;
  }
  return config?.backendOrigin ?? `${protocol}//${host.replace(/^[^.:]+/, 'server')}`;
}

/**
 * @param {string} url
 * @param {string} [method]
 * @returns {Promise<Call>} never rejects
 */
export async function call(url, method = 'GET') {
  const at = new Date();
  const begun = performance.now();
  const label = `${method} ${url}`;
  try {
    const response = await fetch(url, { method, cache: 'no-store', headers: { accept: 'application/json' } });
    const text = await response.text();
    return {
      at,
      label,
      status: String(response.status),
      ok: response.ok,
      instance: response.headers.get('x-instance') ?? '–',
      latencyMs: performance.now() - begun,
      wakeMs: readWakeTime(response.headers.get('server-timing')),
      body: parse(text),
    };
  } catch {
    const latencyMs = performance.now() - begun;
    return { at, label, status: 'no answer', ok: false, instance: '–', latencyMs, wakeMs: null, body: null };
  }
}

/** @param {string | null} serverTiming */
function readWakeTime(serverTiming) {
  const found = /(?:^|,)\s*wake\s*;[^,]*?dur=([\d.]+)/.exec(serverTiming ?? '');
  return found ? Number(found[1]) : null;
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parse(text) {
  try {
    return /** @type {unknown} */ (JSON.parse(text));
  } catch {
    return text;
  }
}

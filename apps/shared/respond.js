import { STATUS_CODES } from 'node:http';

/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('./http-problem.js').HttpProblem} HttpProblem */

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 */
export function sendJson(response, status, body, headers = {}) {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
    'content-length': bytes.length,
  });
  response.end(bytes);
}

/**
 * @param {ServerResponse} response
 * @param {Record<string, string>} [headers]
 */
export function sendNothing(response, headers = {}) {
  response.writeHead(204, { 'cache-control': 'no-store', ...headers });
  response.end();
}

/**
 * @param {ServerResponse} response
 * @param {HttpProblem} problem
 */
export function sendProblem(response, problem) {
  const { status, code, message, members, headers } = problem;
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    ...members,
  };
  sendJson(response, status, body, { ...headers, 'content-type': 'application/problem+json; charset=utf-8' });
}

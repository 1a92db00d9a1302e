import { HttpProblem } from './http-problem.js';

const LIMIT_BYTES = 64 * 1024;

/**
 * Reads a request body as JSON.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {number} [limitBytes]
 * @returns {Promise<unknown>}
 * @throws {HttpProblem} 415 for another media type, 413 above the limit, 400 for what is not JSON
 */
export async function readJsonBody(request, limitBytes = LIMIT_BYTES) {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw new HttpProblem(415, 'unsupported_media_type', 'Send the body as Content-Type: application/json.');
  }
  /** @type {Buffer[]} */
  const chunks = [];
  let size = 0;
  for await (const bytes of /** @type {AsyncIterable<Buffer>} */ (request)) {
    size += bytes.length;
    if (size > limitBytes) {
      // The rest of the body is not read, so the connection cannot be used again.
      const headers = { connection: 'close' };
      throw new HttpProblem(413, 'body_too_large', `The body may have ${limitBytes} bytes at most.`, { headers });
    }
    chunks.push(bytes);
  }
  return parseJson(Buffer.concat(chunks));
}

/**
 * @param {Buffer} bytes
 * @returns {unknown}
 */
function parseJson(bytes) {
  try {
    return /** @type {unknown} */ (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw new HttpProblem(400, 'bad_json', 'The body is not valid JSON.');
  }
}

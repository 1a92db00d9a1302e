import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

const CONTENT_TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
});

/**
 * Makes a handler for one file. It is read anew for each request, so that an edit shows at the next reload, and only the files
 * that the program names can ever be asked for.
 *
 * @param {URL} file
 * @param {string} [contentSecurityPolicy]  for pages
 * @returns {import('./router.js').Handler}
 */
export function pageFile(file, contentSecurityPolicy = "default-src 'none'") {
  const contentType = CONTENT_TYPES[extname(file.pathname)] ?? 'application/octet-stream';
  return async ({ request, response }) => {
    const bytes = await readFile(file);
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const headers = {
      'content-type': contentType,
      'content-security-policy': contentSecurityPolicy,
      'referrer-policy': 'same-origin',
      'cache-control': 'no-cache',
      etag,
    };
    if (request.headers['if-none-match'] === etag) response.writeHead(304, headers).end();
    else response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
  };
}

/**
 * The policy of our pages: their own files and nothing else.
 *
 * @param {string[]} connect  further sources for fetch and WebSocket
 */
export function pagePolicy(connect = []) {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

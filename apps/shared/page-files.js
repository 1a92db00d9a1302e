import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

const CONTENT_TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
});

/** What every page is made of besides its own files. */
const SHARED_FILES = [
  'shared/page/icon.svg',
  'shared/page/base.css',
  'shared/page/elements.js',
  'shared/page/bar-chart.js',
];
const APPS = new URL('../', import.meta.url);

/**
 * Serves a page at `/` and the files that it is made of at their own paths within the workspace, so that their imports mean the same
 * to a browser and to the type checker. Files are read anew for each request: an edit shows at the next reload. Only those that the
 * program names can ever be asked for.
 *
 * @param {import('./router.js').Router} router
 * @param {{ page: string, files: string[], connect?: string[] }} options   paths such as `frontend/page/page.js`; `connect`: further sources for fetch and WebSocket
 */
export function addPage(router, { page, files, connect = [] }) {
  router.on('GET', '/', serveFile(new URL(page, APPS), pagePolicy(connect)));
  for (const path of [...SHARED_FILES, ...files]) {
    router.on('GET', `/${path}`, serveFile(new URL(path, APPS), "default-src 'none'"));
  }
}

/**
 * @param {URL} file
 * @param {string} contentSecurityPolicy
 * @returns {import('./router.js').Handler}
 */
function serveFile(file, contentSecurityPolicy) {
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
 * @param {string[]} connect
 */
function pagePolicy(connect) {
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

import { HttpProblem } from './http-problem.js';

/**
 * One request and its answer, as a handler gets them.
 *
 * @typedef {object} Exchange
 * @property {import('node:http').IncomingMessage} request
 * @property {import('node:http').ServerResponse} response
 * @property {URL} url
 * @property {Record<string, string>} params   the `:name` segments of the pattern, decoded
 */

/** @typedef {(exchange: Exchange) => unknown} Handler  may be async; what it throws is answered as a problem */

/** Finds the handler of a method and a path. A GET handler serves HEAD as well. */
export class Router {
  /** @type {{ methods: string[], segments: string[], handler: Handler }[]} */
  #routes = [];

  /**
   * @param {string} methods   one or several, separated by a space: `GET POST`
   * @param {string} pattern   such as `/api/notes/:id`
   * @param {Handler} handler
   * @returns {this}
   */
  on(methods, pattern, handler) {
    this.#routes.push({ methods: methods.split(' '), segments: pattern.split('/'), handler });
    return this;
  }

  /**
   * @param {string} method
   * @param {string} pathname
   * @returns {{ handler: Handler, params: Record<string, string> }}
   * @throws {HttpProblem} 404 for an unknown path, 405 with `Allow` for a known path with another method
   */
  find(method, pathname) {
    const wanted = method === 'HEAD' ? 'GET' : method;
    const segments = pathname.split('/');
    /** @type {Set<string>} */
    const allowed = new Set();
    for (const route of this.#routes) {
      const params = matchSegments(route.segments, segments);
      if (!params) continue;
      if (route.methods.includes(wanted)) return { handler: route.handler, params };
      for (const known of route.methods) allowed.add(known);
    }
    if (allowed.size === 0) throw new HttpProblem(404, 'not_found', `There is nothing at ${pathname}.`);
    if (allowed.has('GET')) allowed.add('HEAD');
    const allow = [...allowed].join(', ');
    throw new HttpProblem(405, 'method_not_allowed', `${pathname} takes ${allow}.`, { headers: { allow } });
  }
}

/**
 * @param {string[]} pattern
 * @param {string[]} segments
 * @returns {Record<string, string> | undefined}
 */
function matchSegments(pattern, segments) {
  if (pattern.length !== segments.length) return undefined;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? '';
    if (!expected.startsWith(':')) {
      if (expected !== actual) return undefined;
    } else {
      if (actual === '') return undefined;
      params[expected.slice(1)] = decodeSegment(actual);
    }
  }
  return params;
}

/** @param {string} segment */
function decodeSegment(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpProblem(400, 'bad_path', 'The path is not valid percent-encoding.');
  }
}

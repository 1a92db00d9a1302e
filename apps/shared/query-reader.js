import { HttpProblem } from './http-problem.js';

/** Reads query parameters and answers every mistake at once, each with its parameter's name. */
export class QueryReader {
  #query;
  /** @type {Set<string>} */
  #known = new Set();
  /** @type {{ parameter: string, detail: string }[]} */
  #errors = [];

  /** @param {URLSearchParams} query */
  constructor(query) {
    this.#query = query;
  }

  /**
   * @param {string} name
   * @param {{ fallback: number, min: number, max: number }} bounds
   * @returns {number} the fallback when the parameter is absent or wrong
   */
  integer(name, { fallback, min, max }) {
    const text = this.#single(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    this.refuse(name, `must be a whole number from ${min} to ${max}, not "${text.slice(0, 40)}"`);
    return fallback;
  }

  /**
   * @param {string} name
   * @param {{ fallback: string, pattern: RegExp, meaning: string }} shape
   * @returns {string}
   */
  text(name, { fallback, pattern, meaning }) {
    const text = this.#single(name);
    if (text === undefined) return fallback;
    if (text.length <= 1024 && pattern.test(text)) return text;
    this.refuse(name, `must be ${meaning}, not "${text.slice(0, 40)}"`);
    return fallback;
  }

  /**
   * @param {string} parameter
   * @param {string} detail
   */
  refuse(parameter, detail) {
    this.#errors.push({ parameter, detail });
  }

  /**
   * Call it after the last parameter was read: a misspelt one would otherwise be ignored in silence.
   *
   * @throws {HttpProblem} 400 when anything was wrong
   */
  finish() {
    for (const name of new Set(this.#query.keys())) {
      if (!this.#known.has(name)) {
        this.refuse(name.slice(0, 40), `is unknown here; known are ${[...this.#known].join(', ') || 'none'}`);
      }
    }
    if (this.#errors.length === 0) return;
    const detail = this.#errors.map((error) => `${error.parameter} ${error.detail}`).join('; ');
    throw new HttpProblem(400, 'bad_parameter', `${detail}.`, { members: { errors: this.#errors } });
  }

  /** @param {string} name */
  #single(name) {
    this.#known.add(name);
    const values = this.#query.getAll(name);
    if (values.length > 1) this.refuse(name, 'is given more than once');
    return values[0];
  }
}

/** An error that is an answer: thrown anywhere in a handler, sent as `application/problem+json` (RFC 9457). */
export class HttpProblem extends Error {
  /**
   * @param {number} status
   * @param {string} code      stable, for programs
   * @param {string} detail    a sentence for people: what happened and what to do
   * @param {{ headers?: Record<string, string>, members?: Record<string, unknown> }} [more]  response headers; further members of the body
   */
  constructor(status, code, detail, more = {}) {
    super(detail);
    this.name = 'HttpProblem';
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
    this.members = more.members ?? {};
  }
}

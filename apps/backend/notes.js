import { randomUUID } from 'node:crypto';
import { HttpProblem } from '../shared/http-problem.js';
import { readJsonBody } from '../shared/json-body.js';
import { sendJson, sendNothing } from '../shared/respond.js';

const MAX_NOTES = 1_000;
const MAX_TITLE = 120;
const MAX_TEXT = 10_000;

/**
 * @typedef {object} Note
 * @property {string} id
 * @property {string} title
 * @property {string} text
 * @property {string} createdAt
 * @property {string} updatedAt
 */

/** Notes in memory: each instance has its own, and they are gone when it ends. Which is what `sticky` is for. */
export class Notes {
  /** @type {Map<string, Note>} */
  #notes = new Map();

  list() {
    return [...this.#notes.values()];
  }

  /** @param {string} id */
  get(id) {
    const note = this.#notes.get(id);
    if (!note) throw new HttpProblem(404, 'no_such_note', 'This instance has no note of that id.');
    return note;
  }

  /** @param {unknown} body */
  add(body) {
    if (this.#notes.size >= MAX_NOTES) {
      throw new HttpProblem(507, 'too_many_notes', `There are ${MAX_NOTES} notes already; delete some first.`);
    }
    const now = new Date().toISOString();
    const note = { id: randomUUID(), ...readNote(body), createdAt: now, updatedAt: now };
    this.#notes.set(note.id, note);
    return note;
  }

  /**
   * @param {string} id
   * @param {unknown} body
   */
  replace(id, body) {
    const note = { ...this.get(id), ...readNote(body), updatedAt: new Date().toISOString() };
    this.#notes.set(id, note);
    return note;
  }

  /** @param {string} id */
  remove(id) {
    this.#notes.delete(this.get(id).id);
  }
}

/**
 * @param {import('../shared/router.js').Router} router
 * @param {Notes} notes
 */
export function addNoteRoutes(router, notes) {
  router.on('GET', '/api/notes', ({ response }) => {
    const list = notes.list();
    sendJson(response, 200, { notes: list, total: list.length });
  });
  router.on('POST', '/api/notes', async ({ request, response }) => {
    const note = notes.add(await readJsonBody(request));
    sendJson(response, 201, note, { location: `/api/notes/${note.id}` });
  });
  router.on('GET', '/api/notes/:id', ({ response, params }) => sendJson(response, 200, notes.get(params.id ?? '')));
  router.on('PUT', '/api/notes/:id', async ({ request, response, params }) => {
    const id = notes.get(params.id ?? '').id;
    sendJson(response, 200, notes.replace(id, await readJsonBody(request)));
  });
  router.on('DELETE', '/api/notes/:id', ({ response, params }) => {
    notes.remove(params.id ?? '');
    sendNothing(response);
  });
}

/**
 * @param {unknown} body
 * @returns {{ title: string, text: string }}
 * @throws {HttpProblem} 422 with every mistake
 */
function readNote(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HttpProblem(422, 'bad_note', 'A note is a JSON object with title and text.');
  }
  const { title, text = '', ...rest } = /** @type {Record<string, unknown>} */ (body);
  /** @type {{ field: string, detail: string }[]} */
  const errors = Object.keys(rest).map((field) => ({ field: field.slice(0, 40), detail: 'is unknown' }));
  if (typeof title !== 'string' || title.trim() === '' || title.length > MAX_TITLE) {
    errors.push({ field: 'title', detail: `must be text of 1 to ${MAX_TITLE} characters` });
  }
  if (typeof text !== 'string' || text.length > MAX_TEXT) {
    errors.push({ field: 'text', detail: `must be text of at most ${MAX_TEXT} characters` });
  }
  if (errors.length > 0 || typeof title !== 'string' || typeof text !== 'string') {
    const detail = errors.map((error) => `${error.field} ${error.detail}`).join('; ');
    throw new HttpProblem(422, 'bad_note', `${detail}.`, { members: { errors } });
  }
  return { title: title.trim(), text };
}

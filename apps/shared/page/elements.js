/** Finding and filling the elements of the page. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return found;
}

/**
 * @param {string} id
 * @param {string} text
 */
export function setText(id, text) {
  const target = element(id, HTMLElement);
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @param {string} id
 * @param {string} text
 * @param {'true' | 'false' | 'bad'} on
 */
export function setPill(id, text, on) {
  setText(id, text);
  element(id, HTMLElement).dataset.on = on;
}

/**
 * One member of a JSON body, as text.
 *
 * @param {unknown} body
 * @param {string} name
 * @returns {unknown}
 */
export function member(body, name) {
  return typeof body === 'object' && body !== null ? /** @type {Record<string, unknown>} */ (body)[name] : undefined;
}

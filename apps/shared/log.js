/**
 * One line for people on standard output, where `reveille logs` finds it. The runtime adds time and instance.
 *
 * @param {string} message
 * @param {Record<string, unknown>} [fields]  appended as `key=value`
 */
export function log(message, fields = {}) {
  const tail = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  // A line break in a value could forge another line.
  process.stdout.write(`${(message + tail).replace(/[\r\n]+/g, ' ')}\n`);
}

/**
 * @param {unknown} error
 * @returns {string}
 */
export function describeError(error) {
  return error instanceof Error ? error.message || error.name : String(error);
}

/**
 * @param {string} id    of an svg with the view box 0 0 120 40
 * @param {{ value: number, failed: number }[]} bars   the newest last
 * @param {number} top   the value that fills the height
 * @param {number} slots
 */
export function drawBars(id, bars, top, slots) {
  const svg = document.getElementById(id);
  if (!svg) return;
  const width = 120 / slots;
  const first = slots - bars.length;
  const shapes = [shape('line', { x1: 0, x2: 120, y1: 39.5, y2: 39.5, 'stroke-width': 1 })];
  for (const [index, { value, failed }] of bars.entries()) {
    const height = (38 * value) / top;
    const x = (first + index) * width;
    shapes.push(shape('rect', { x, y: 39 - height, width: width * 0.72, height: Math.max(0.6, height), rx: 0.4 }));
    if (failed <= 0) continue;
    const share = (38 * failed) / top;
    shapes.push(shape('rect', { x, y: 39 - height - share, width: width * 0.72, height: share, class: 'failed' }));
  }
  svg.replaceChildren(...shapes);
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function shape(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

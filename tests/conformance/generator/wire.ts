import type { ExchangePlan, PlannedFields } from './exchange-plan.ts';

/** The bytes of a planned request and its answer, as latin1 text. */
export function requestBytes({ request }: ExchangePlan): { head: string; content: string } {
  const { method, path, fields, hopFields, framing, parts, trailers, expectsContinue, takesTrailers } = request;
  const own: [string, string][] = [['Host', 'app.test']];
  if (framing === 'length') own.push(['Content-Length', String(parts.join('').length)]);
  if (framing === 'chunked') own.push(['Transfer-Encoding', 'chunked']);
  if (expectsContinue) own.push(['Expect', '100-continue']);
  if (takesTrailers) own.push(['TE', 'trailers'], ['Connection', 'TE']);
  const head = `${method} ${path} HTTP/1.1\r\n${lines([...own, ...fields, ...hopFields])}\r\n`;
  return { head, content: framed(framing, parts, trailers) };
}

/** Each interim response on its own, then the final one. */
export function responseBytes({ request, response }: ExchangePlan): { interim: string; head: string; content: string } {
  const { interim, status, fields, hopFields, framing, parts, trailers } = response;
  const own: [string, string][] = [];
  if (framing === 'length') own.push(['Content-Length', String(parts.join('').length)]);
  if (framing === 'chunked') own.push(['Transfer-Encoding', 'chunked']);
  if (status === 205) own.push(['Content-Length', '0']);
  if (framing === 'close') own.push(['Connection', 'close']);
  const head = `HTTP/1.1 ${status} Planned\r\n${lines([...own, ...fields, ...hopFields])}\r\n`;
  return {
    interim: interim.map((one) => `HTTP/1.1 ${one} Interim\r\nX-Interim: ${one}\r\n\r\n`).join(''),
    head,
    content: request.method === 'HEAD' ? '' : framed(framing, parts, trailers),
  };
}

/** Cuts text into so many pieces at places that follow from the number of the case. */
export function split(whole: string, pieces: number, index: number): string[] {
  if (pieces <= 1 || whole.length < 2) return [whole];
  const places = Array.from(
    { length: pieces - 1 },
    (_, at) => ((index * 7_919 + at * 104_729) % (whole.length - 1)) + 1,
  );
  const borders = [0, ...places.sort((a, b) => a - b), whole.length];
  return borders
    .slice(1)
    .map((end, at) => whole.slice(borders[at], end))
    .filter((piece) => piece !== '');
}

function framed(framing: string, parts: readonly string[], trailers: PlannedFields): string {
  if (framing !== 'chunked') return parts.join('');
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
  return `${chunks}0\r\n${lines(trailers)}\r\n`;
}

function lines(fields: PlannedFields): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

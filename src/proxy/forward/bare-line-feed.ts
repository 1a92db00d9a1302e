import { MalformedResponse } from './malformed-response.ts';

const LF = 10;
const CR = 13;

/**
 * Lines that do not end with CR LF (RFC 9112 2.2) would never be found complete; said at once instead of after a timeout.
 * @param bytes what is there of them so far
 */
export function refuseBareLineFeed(bytes: Buffer): void {
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (at === 0 || bytes[at - 1] !== CR) throw new MalformedResponse('a line does not end with CR LF');
  }
}

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { ListenerLimits } from './listener-limits.ts';

type GuardLimits = Pick<ListenerLimits, 'maxControlFrames' | 'streamResetBurst' | 'streamResetRate'>;

const CONTROL_WINDOW_SECONDS = 10;
const CUT_AFTER_MS = 100;

/**
 * Ends a session whose client makes work without wanting answers: PING and SETTINGS cost us an answer each, a stream
 * that is opened and reset (CVE-2023-44487) a request upstream. nghttp2 has a bound of its own for resets, which stops
 * the streams with a GOAWAY but keeps the connection.
 */
export function guardSession(session: ServerHttp2Session, limits: GuardLimits): void {
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    // From the GOAWAY on nghttp2 drops new streams unseen. What was sent before it is read for a moment: closing over
    // unread bytes makes the kernel send a reset, which overtakes the reason.
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    const cut = setTimeout(() => session.destroy(), CUT_AFTER_MS);
    session.once('close', () => clearTimeout(cut));
  };
  const controls = new Allowance(limits.maxControlFrames, limits.maxControlFrames / CONTROL_WINDOW_SECONDS);
  const resets = new Allowance(limits.streamResetBurst, limits.streamResetRate);
  const onControl = (): void => {
    if (!controls.take()) end();
  };
  session.on('ping', onControl);
  session.on('remoteSettings', onControl);
  session.on('stream', (stream: ServerHttp2Stream) => {
    // A stream that we cut ourselves is destroyed by then.
    stream.once('aborted', () => {
      if (!stream.destroyed && !resets.take()) end();
    });
  });
}

/** So many at once, and so many more each second. */
class Allowance {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #at = performance.now();

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
  }

  take(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#most, this.#left + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
    this.#left -= 1;
    return this.#left >= 0;
  }
}

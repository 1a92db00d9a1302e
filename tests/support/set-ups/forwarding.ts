import { afterEach } from 'vitest';
import type { FrontOptions } from './forwarding-front.ts';
import { ForwardingFront } from './forwarding-front.ts';
import type { UpstreamScript } from '../upstreams/upstream.ts';
import { RawUpstream } from '../upstreams/upstream.ts';

export interface Forwarding {
  readonly upstream: RawUpstream;
  readonly front: ForwardingFront;
}

/** Gives a function that sets up a front before a scripted upstream; both are closed after the test. */
export function forwardingSetUp(): (script: UpstreamScript, options?: FrontOptions) => Promise<Forwarding> {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const closable of open.splice(0)) await closable.close();
  });
  return async (script, options) => {
    const upstream = await new RawUpstream(script).start();
    const front = await new ForwardingFront(upstream.endpoint, options).start();
    open.push(front, upstream);
    return { upstream, front };
  };
}

import type { UpstreamHead } from './upstream-head.ts';

/** Whoever is told of the response to one request, in this order. */
export interface ResponseHandler {
  /** An interim response (1xx except 101). */
  onInterim(head: UpstreamHead): void;
  /** The final head. `hasContent` is false when neither the status nor the method allow content. */
  onHead(head: UpstreamHead, hasContent: boolean): void;
  /** @param chunk overwritten by what is read next: whoever keeps something of it makes a copy */
  onContent(chunk: Buffer): void;
  onComplete(trailers: readonly string[]): void;
  /** 101 to a request that asked for it: HTTP is over, `rest` is the first of what follows. */
  onSwitched(head: UpstreamHead, rest: Buffer): void;
}

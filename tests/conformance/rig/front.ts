import type { Certificate } from './certificate.ts';

/** What a case needs to be different; the rest is as each front is usually set up. Times in milliseconds. */
export interface FrontSettings {
  /** The peer's word on where a request came from is believed. */
  readonly trusted?: boolean;
  /** How long a client may take for its request head. */
  readonly headTimeoutMs?: number;
  /** How long a client may be silent in the middle of its content, or leave its answer unread. */
  readonly bodyTimeoutMs?: number;
  /** How long the upstream may take for its response head. */
  readonly responseTimeoutMs?: number;
}

export interface FrontOptions {
  readonly upstreamPort: number;
  readonly settings: FrontSettings;
  readonly certificate: Certificate;
}

/** A proxy in front of one upstream, listening with TLS on 127.0.0.1, for the host app.test (and 127.0.0.1) only. */
export interface OpenFront {
  readonly port: number;
  /** Undefined as long as its process is there; then how it ended. */
  ended(): string | undefined;
  close(): Promise<void>;
}

export interface Front {
  readonly name: string;
  /** Whether it is set up to speak HTTP/2 with clients. */
  readonly http2: boolean;
  /** Undefined when it is not installed. */
  version(): Promise<string | undefined>;
  open(options: FrontOptions): Promise<OpenFront>;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAuthority, makeServerCertificate, type PemPair } from '../../src/tls/certificate-maker.ts';

/** An authority and certificates of it, for tests that speak TLS. */
export class TestAuthority {
  readonly #authority: PemPair;

  constructor(authority: PemPair) {
    this.#authority = authority;
  }

  static async make(): Promise<TestAuthority> {
    return new TestAuthority(await makeAuthority(Date.now()));
  }

  /** What a client trusts. */
  get ca(): string {
    return this.#authority.cert;
  }

  issue(names: readonly string[], nowEpochMs = Date.now()): Promise<PemPair> {
    return makeServerCertificate(this.#authority, names, nowEpochMs);
  }

  async write(folder: string, names: readonly string[], nowEpochMs?: number): Promise<void> {
    const { cert, key } = await this.issue(names, nowEpochMs);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'key.pem'), key);
    await writeFile(join(folder, 'fullchain.pem'), cert);
  }
}

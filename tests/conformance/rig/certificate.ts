import { makeAuthority, makeServerCertificate } from '../../../src/tls/certificate-maker.ts';

/** A certificate for app.test and other.test, as PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** What a client trusts. */
  readonly ca: string;
}

export async function makeCertificate(): Promise<Certificate> {
  const authority = await makeAuthority(Date.now());
  const pair = await makeServerCertificate(authority, ['app.test', 'other.test'], Date.now());
  return { cert: pair.cert, key: pair.key, ca: authority.cert };
}

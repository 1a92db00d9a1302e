import { X509Certificate } from 'node:crypto';
import { messageOf } from '../lib/coded-error.ts';
import type { CertificateFolder } from '../tls/certificate-folders.ts';
import { readCertificatePair } from '../tls/certificate-pair.ts';
import type { Authority } from '../tls/development-ca.ts';

/** A certificate as `reveille certs` shows it. Dates are ISO 8601. */
export interface CertificateFacts {
  /** The host that its folder is for; '' for the default certificate. */
  readonly name: string;
  readonly path: string;
  readonly madeBy: 'reveille' | 'mkcert' | 'operator';
  readonly issuer: string;
  readonly names: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  readonly daysLeft: number;
  /** Why it cannot be used. */
  readonly problem?: string;
}

const DAY_MS = 86_400_000;

export async function describeCertificate(
  { name, path }: CertificateFolder,
  authority: Authority | undefined,
): Promise<CertificateFacts> {
  try {
    const pair = await readCertificatePair(path, Date.now());
    const parsed = new X509Certificate(pair.cert);
    return {
      ...{ name, path, names: [...pair.names] },
      madeBy: makerOf(parsed, authority),
      issuer: parsed.issuer.split('\n').join(', '),
      validFrom: new Date(parsed.validFrom).toISOString(),
      validTo: new Date(parsed.validTo).toISOString(),
      daysLeft: Math.floor((pair.expiresAtEpochMs - Date.now()) / DAY_MS),
    };
  } catch (error) {
    const unknown = { madeBy: 'operator', issuer: '', names: [], validFrom: '', validTo: '', daysLeft: 0 } as const;
    return { name, path, ...unknown, problem: messageOf(error) };
  }
}

/** Ours are those that the development authority has signed. */
function makerOf(certificate: X509Certificate, authority: Authority | undefined): CertificateFacts['madeBy'] {
  if (authority === undefined) return 'operator';
  const ca = new X509Certificate(authority.cert);
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return 'operator';
  return authority.kind === 'own' ? 'reveille' : 'mkcert';
}

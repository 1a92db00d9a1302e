import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto, type KeyObject } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** A certificate and its key, both PEM. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const CA_DAYS = 3_650;
/** Apple and Chromium refuse more than 398 days. */
const LEAF_DAYS = 397;
/** Clocks of containers and phones differ a little. */
const BACKDATED_MS = 3_600_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** A certificate authority for this machine only, which may sign servers but no further authorities. */
export async function makeAuthority(nowEpochMs: number): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [
        { O: ['Reveille development CA'] },
        { CN: [`Reveille ${whose()} ${randomBytes(3).toString('hex')}`.slice(0, 64)] },
      ],
      notBefore: new Date(nowEpochMs - BACKDATED_MS),
      notAfter: new Date(nowEpochMs + CA_DAYS * DAY_MS),
      keys: keys,
      signingAlgorithm: SIGNATURE,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: await privatePem(keys.privateKey) };
}

/** A server certificate for these DNS names and addresses, signed by the authority. */
export async function makeServerCertificate(
  authority: PemPair,
  names: readonly string[],
  nowEpochMs: number,
): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.cert);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: [{ O: ['Reveille development certificate'] }, { CN: [(names[0] ?? 'localhost').slice(0, 64)] }],
      issuer: issuer.subjectName.toJSON(),
      notBefore: new Date(nowEpochMs - BACKDATED_MS),
      notAfter: new Date(nowEpochMs + LEAF_DAYS * DAY_MS - BACKDATED_MS),
      publicKey: keys.publicKey,
      ...(await signer(createPrivateKey(authority.key))),
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
        ),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: `${certificate.toString('pem')}\n`, key: await privatePem(keys.privateKey) };
}

/** The authority's key as the library wants it: mkcert makes RSA keys, we make elliptic ones. */
async function signer(
  key: KeyObject,
): Promise<{ signingKey: webcrypto.CryptoKey; signingAlgorithm: { name: string; hash: string } }> {
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { ...CURVE, namedCurve: curveOf(key), hash: 'SHA-256' };
  const der = key.export({ format: 'der', type: 'pkcs8' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  return { signingKey: signingKey, signingAlgorithm: { name: algorithm.name, hash: 'SHA-256' } };
}

function curveOf(key: KeyObject): string {
  const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
  return curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'P-256';
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

/** Positive and random (RFC 5280 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function whose(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id without an entry in the user database, as in many containers.
    return hostname();
  }
}

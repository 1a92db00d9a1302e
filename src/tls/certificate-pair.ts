import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { namesOf } from './certificate-names.ts';

/** A certificate that has been proved to work with its key. */
export interface CertificatePair {
  readonly folder: string;
  /** PEM, the whole chain. */
  readonly cert: Buffer;
  /** PEM. */
  readonly key: Buffer;
  readonly names: ReadonlySet<string>;
  readonly expiresAtEpochMs: number;
  readonly context: SecureContext;
}

/** No chain and no key comes near it. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads `fullchain.pem` and `key.pem` of a folder.
 * @throws CodedError `certificate_missing` or `certificate_invalid`, naming the file and what is wrong with it
 */
export async function readCertificatePair(folder: string, nowEpochMs: number): Promise<CertificatePair> {
  const cert = await readBounded(join(folder, 'fullchain.pem'));
  const key = await readBounded(join(folder, 'key.pem'));
  const parsed = parse(join(folder, 'fullchain.pem'), 'no PEM certificate', () => new X509Certificate(cert));
  const privateKey: KeyObject = parse(join(folder, 'key.pem'), 'no unencrypted PEM key', () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(privateKey))
    throw invalid(folder, 'key.pem does not belong to the certificate in fullchain.pem');
  const expiresAtEpochMs = Date.parse(parsed.validTo);
  if (expiresAtEpochMs <= nowEpochMs) throw invalid(folder, `the certificate expired on ${parsed.validTo}`);
  const context = parse(folder, 'refused by OpenSSL', () => createSecureContext({ cert, key, minVersion: 'TLSv1.2' }));
  return { folder, cert, key, names: namesOf(parsed.subjectAltName), expiresAtEpochMs, context };
}

async function readBounded(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CodedError('certificate_missing', `${path} is missing.`);
    throw new CodedError('certificate_invalid', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** OpenSSL quotes nothing of a key in its errors, so that they may be shown. */
function parse<T>(path: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new CodedError('certificate_invalid', `${path}: ${what} (${messageOf(error)})`, { cause: error });
  }
}

function invalid(folder: string, why: string): CodedError {
  return new CodedError('certificate_invalid', `${folder}: ${why}.`);
}

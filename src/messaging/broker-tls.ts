import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CodedError, messageOf } from '../lib/coded-error.ts';

/** The files of a connection over TLS. */
export interface BrokerTlsFiles {
  /** MQTT_CA_FILE: the authorities that may vouch for the broker; absent = those of Node. */
  readonly caFile?: string;
  /** MQTT_CERT_FILE and MQTT_KEY_FILE: who we are to a broker that asks for a certificate. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * Read for every connection, so that a renewed file needs no restart.
 * @throws CodedError `broker_tls_file_unreadable`, `broker_tls_files_unusable`
 */
export function readBrokerTls({ caFile, certFile, keyFile }: BrokerTlsFiles): {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
} {
  const files = {
    ...(caFile !== undefined && { ca: read('MQTT_CA_FILE', caFile) }),
    ...(certFile !== undefined && { cert: read('MQTT_CERT_FILE', certFile) }),
    ...(keyFile !== undefined && { key: read('MQTT_KEY_FILE', keyFile) }),
  };
  try {
    createSecureContext(files);
  } catch (error) {
    const named = ['MQTT_CERT_FILE', 'MQTT_KEY_FILE'].join(' and ');
    const which =
      certFile === undefined ? 'MQTT_CA_FILE' : `${named}${caFile === undefined ? '' : ' (or MQTT_CA_FILE)'}`;
    const message = `${which} cannot be used: ${messageOf(error)}. They must be PEM, and the key that of the certificate, without a passphrase`;
    throw new CodedError('broker_tls_files_unusable', message, { cause: error });
  }
  return files;
}

function read(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CodedError('broker_tls_file_unreadable', `${key} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

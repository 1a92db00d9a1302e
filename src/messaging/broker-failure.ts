import { messageOf } from '../lib/coded-error.ts';

const refusedCredentials = 'the broker refused the user name or password: correct the credentials in MQTT_BROKER_URL';
const wantsCertificate = 'it asks for a certificate of ours: name one in MQTT_CERT_FILE and MQTT_KEY_FILE';

/** What to do about failures that people meet, by the code of the system, of TLS, or of the broker (MQTT 3.1.1 section 3.2.2.3, MQTT 5 section 2.4). */
const explanations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start the broker, or correct MQTT_BROKER_URL',
  ENOTFOUND: 'the host name does not resolve: correct MQTT_BROKER_URL',
  EAI_AGAIN: 'the host name cannot be resolved now: look at the network and the DNS',
  ETIMEDOUT: 'no answer: look at the network and the firewall',
  EHOSTUNREACH: 'the host cannot be reached: look at the network',
  ECONNRESET: 'the broker hung up',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name its CA in MQTT_CA_FILE',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown CA: name that CA in MQTT_CA_FILE',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown CA: name that CA in MQTT_CA_FILE',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an unknown CA: name that CA in MQTT_CA_FILE',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: correct the host in MQTT_BROKER_URL',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: wantsCertificate,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: wantsCertificate,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know the CA of our certificate: correct MQTT_CERT_FILE',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it refuses our certificate: correct MQTT_CERT_FILE',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'our certificate has expired: renew MQTT_CERT_FILE',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'our certificate was revoked: renew MQTT_CERT_FILE',
  EPROTO: 'TLS failed: is this the TLS port of the broker?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS failed: is this the TLS port of the broker?',
  1: 'the broker does not speak MQTT 5: use one that does',
  4: refusedCredentials,
  5: refusedCredentials,
  132: 'the broker does not speak MQTT 5: use one that does',
  134: refusedCredentials,
  135: refusedCredentials,
  142: 'another client took over with the same id: give each daemon a STATE_DIR and a proxy id of its own',
};

/** What comes and goes with the broker and the network, and needs nobody to correct anything. */
const PASSING = new Set<unknown>(['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'EPIPE']);

/** Whether it may well be over by itself; what has no code is the end of a connection. */
export function isPassing(failure: unknown): boolean {
  const code = codeOf(failure);
  return code === undefined || PASSING.has(code);
}

/** Why there is no connection, in words for people. */
export function explainBrokerFailure(failure: unknown): string {
  const code = codeOf(failure);
  const explanation = code === undefined ? undefined : explanations[code];
  const message = messageOf(failure);
  if (message === 'connack timeout') return 'it takes the connection and answers nothing: look at the broker';
  if (explanation === undefined) return message === '' ? String(code ?? 'the connection failed') : message;
  return /^[A-Z]/.test(String(code)) ? `${explanation} (${String(code)})` : explanation;
}

function codeOf(failure: unknown): string | number | undefined {
  if (typeof failure !== 'object' || failure === null || !('code' in failure)) return undefined;
  return typeof failure.code === 'string' || typeof failure.code === 'number' ? failure.code : undefined;
}

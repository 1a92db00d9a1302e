import { CodedError } from '../lib/coded-error.ts';

const defaultPorts = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };
type Scheme = keyof typeof defaultPorts;

/** Where a broker is and who we are to it. */
export interface BrokerAddress {
  readonly scheme: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  /** A name or a literal address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** With the query; of WebSockets only. */
  readonly path: string;
  readonly username?: string;
  readonly password?: string;
  /** The address without credentials and query, fit for a log. */
  readonly label: string;
}

/**
 * Reads MQTT_BROKER_URL.
 * @throws CodedError `broker_url_invalid`; its message never repeats the URL, which may hold a password
 */
export function parseBrokerUrl(text: string): BrokerAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !isScheme(url.protocol) || url.hostname === '') {
    throw new CodedError(
      'broker_url_invalid',
      'MQTT_BROKER_URL cannot be used: it must look like mqtt://user:password@host:1883, and start with mqtt://, mqtts://, ws:// or wss://. Characters such as "/", "@" and "#" in the password are written in percent encoding.',
    );
  }
  // The URL parser leaves a port out that is the default of the scheme.
  const port = url.port === '' ? defaultPorts[url.protocol] : Number(url.port);
  const scheme = url.protocol.slice(0, -1) as BrokerAddress['scheme'];
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    path: `${url.pathname || '/'}${url.search}`,
    ...(url.username === '' ? {} : { username: decoded(url.username) }),
    ...(url.password === '' ? {} : { password: decoded(url.password) }),
    label: `${scheme}://${url.hostname}:${port}`,
  };
}

function isScheme(protocol: string): protocol is Scheme {
  return Object.hasOwn(defaultPorts, protocol);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: it was meant as it stands.
    return text;
  }
}

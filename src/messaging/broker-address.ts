import { CodedError } from '../lib/coded-error.ts';

const schemes = {
  'mqtt:': { scheme: 'mqtt', port: 1883 },
  'tcp:': { scheme: 'mqtt', port: 1883 },
  'mqtts:': { scheme: 'mqtts', port: 8883 },
  'ssl:': { scheme: 'mqtts', port: 8883 },
  'ws:': { scheme: 'ws', port: 80 },
  'wss:': { scheme: 'wss', port: 443 },
} as const;

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
  const { scheme, port: usual } = schemes[url.protocol];
  const port = url.port === '' ? usual : Number(url.port);
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

function isScheme(protocol: string): protocol is keyof typeof schemes {
  return Object.hasOwn(schemes, protocol);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: it was meant as it stands.
    return text;
  }
}

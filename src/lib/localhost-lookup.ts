import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';

type OneAddress = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;
type AnyAddress = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  // `dns.lookup` leaves it out where it answers with a list.
  family?: number,
) => void;

/** Whether a name belongs to `localhost` (RFC 6761 section 6.3), and so to this machine. */
export function isLocalhostName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost');
}

/**
 * A drop-in for `dns.lookup`, for the `lookup` option of net, tls, http and of the clients built on them.
 *
 * Names under `localhost` are this machine without asking anybody: the resolver of the operating system fails for
 * `app.localhost` where /etc/hosts has no line. They answer 127.0.0.1, or ::1 to who asks for IPv6 alone.
 */
export function localhostLookup(hostname: string, callback: OneAddress): void;
export function localhostLookup(hostname: string, options: LookupOptions | number, callback: AnyAddress): void;
export function localhostLookup(
  hostname: string,
  optionsOrCallback: LookupOptions | number | OneAddress,
  maybeCallback?: AnyAddress,
): void {
  const callback = (typeof optionsOrCallback === 'function' ? optionsOrCallback : maybeCallback) as AnyAddress;
  const options = normalized(optionsOrCallback);
  if (!isLocalhostName(hostname)) {
    systemLookup(hostname, options, callback);
    return;
  }

  const local: LookupAddress =
    options.family === 6 || options.family === 'IPv6'
      ? { address: '::1', family: 6 }
      : { address: '127.0.0.1', family: 4 };
  // Like the system's lookup, it never calls back before it has returned.
  process.nextTick(() => {
    if (options.all) callback(null, [local]);
    else callback(null, local.address, local.family);
  });
}

function normalized(options: LookupOptions | number | OneAddress): LookupOptions {
  if (typeof options === 'function') return {};
  return typeof options === 'number' ? { family: options } : options;
}

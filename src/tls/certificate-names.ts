import { isIP } from 'node:net';

/** Matches `*.x` against names with exactly one more label (RFC 6125 6.4.3). */
export function wildcardOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot <= 0 || dot === name.length - 1 ? undefined : `*${name.slice(dot)}`;
}

export function covers(names: ReadonlySet<string>, name: string): boolean {
  if (names.has(name)) return true;
  const wildcard = name.startsWith('*.') ? undefined : wildcardOf(name);
  return wildcard !== undefined && names.has(wildcard);
}

/** What development answers to: everything that leads here, without what the wildcard covers anyway. Lower case, in a fixed order. */
export function developmentNames(domain: string, hosts: Iterable<string>, gateway?: string): string[] {
  const names = new Set([domain, `*.${domain}`, 'localhost', '127.0.0.1', '::1']);
  if (gateway !== undefined && isIP(gateway) !== 0) names.add(gateway);
  // Browsers refuse a wildcard right under a top-level name, such as `*.localhost`: there every host is named.
  const usable = domain.includes('.') ? names : new Set([domain]);
  for (const host of hosts) {
    const name = host.toLowerCase();
    if (!covers(usable, name)) names.add(name);
  }
  return [...names];
}

/** The names of a certificate from the text that node:crypto makes of them: `DNS:a, DNS:*.b, IP Address:127.0.0.1`. */
export function namesOf(subjectAltName: string | undefined): Set<string> {
  const names = new Set<string>();
  for (const entry of (subjectAltName ?? '').split(', ')) {
    if (entry.startsWith('DNS:')) names.add(entry.slice('DNS:'.length).toLowerCase());
    if (entry.startsWith('IP Address:')) names.add(shortAddress(entry.slice('IP Address:'.length)));
  }
  return names;
}

/** OpenSSL writes `0:0:0:0:0:0:0:1`, people write `::1`. */
export function shortAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

import { BlockList, isIPv6 } from 'node:net';

/** Networks in CIDR form, asked whether an address is in one of them. */
export class AddressList {
  readonly #networks = new BlockList();

  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [address = '', bits = ''] = cidr.split('/');
      this.#networks.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
    }
  }

  has(address: string): boolean {
    return this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

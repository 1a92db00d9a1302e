import { BlockList, isIPv6 } from 'node:net';

/** Networks in CIDR form, asked whether an address is in one of them. */
export class AddressList {
  readonly #networks = new BlockList();
  /** An empty list, which is the rule, answers without a native call for every request. */
  readonly #empty: boolean;

  constructor(cidrs: readonly string[]) {
    this.#empty = cidrs.length === 0;
    for (const cidr of cidrs) {
      const [address = '', bits = ''] = cidr.split('/');
      this.#networks.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
    }
  }

  has(address: string): boolean {
    return !this.#empty && this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

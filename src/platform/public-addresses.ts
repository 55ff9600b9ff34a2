import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Addresses that are not on the public internet: a request that reaches them at the wish of a user would be a request inside of
 * the operator's network. Source: IANA's registries of special-purpose addresses.
 */
const special = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special.addSubnet(network, bits, 'ipv4');

/** All of the public internet in IPv6 is in here. */
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

/** Parts of it that carry IPv4 addresses or are for documentation. */
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, bits, 'ipv6');

/** Whether an address is on the public internet. IPv4 addresses in the form of IPv6 count as what they are. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, 'ipv4');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPublicAddress(mapped);
  // What is no address is in no list.
  return global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** Whether a request at the wish of a user may reach an address. */
export function mayReach(address: string, allowed: BlockList): boolean {
  const isAllowed = allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return isAllowed || isPublicAddress(address);
}

/**
 * Looks a name up once, and refuses it if any of its addresses is not allowed. So a name that changes its address in
 * between (DNS rebinding) reaches nothing else.
 *
 * @param options.refuse  makes the error.
 */
export const checkedLookup =
  (options: {
    readonly isAllowed: (address: string) => boolean;
    readonly refuse: () => Error;
    readonly lookup?: typeof resolve;
  }): LookupFunction =>
  (hostname, asked, callback) => {
    const { isAllowed, refuse, lookup = resolve } = options;
    lookup(hostname, { ...asked, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : [];
      if (error) return callback(error, '');
      const [first] = addresses;
      const isGood = first !== undefined && addresses.every(({ address }) => isAllowed(address));
      if (!isGood) return callback(refuse(), '');
      if (asked.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };

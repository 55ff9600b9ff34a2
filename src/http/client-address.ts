import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { serverConfig, type TrustedProxies } from '../platform/config/server.ts';

/**
 * The IP address of the client. `X-Forwarded-For` is read from its end, where the nearest proxy has added the address
 * that it saw. An entry counts only if all proxies after it are trusted: the first address that is not a trusted proxy
 * is the client. Everything before it was sent by the client itself.
 */
export function clientAddress(
  request: IncomingMessage,
  trusted: TrustedProxies = serverConfig.trustedProxies,
): string | null {
  const nearest = plainAddress(request.socket.remoteAddress ?? '');
  const header = request.headers['x-forwarded-for'];
  if (header === undefined) return nearest;
  const told = String(header).split(',').map(addressIn);
  let address = nearest;
  for (let hop = 0; address && isTrusted(address, hop, trusted); hop += 1) {
    const next = told.pop();
    if (!next) break;
    address = next;
  }
  return address;
}

function isTrusted(address: string, hop: number, trusted: TrustedProxies): boolean {
  if (typeof trusted === 'number') return hop < trusted;
  return blockListOf(trusted).check(address, familyOf(address));
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

const blockLists = new WeakMap<readonly string[], BlockList>();

function blockListOf(networks: readonly string[]): BlockList {
  const known = blockLists.get(networks);
  if (known) return known;
  const made = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    if (bits === undefined) made.addAddress(address, familyOf(address));
    else made.addSubnet(address, Number(bits), familyOf(address));
  }
  blockLists.set(networks, made);
  return made;
}

/**
 * One entry of the header, which may have a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. Null if it is not an address.
 */
function addressIn(entry: string): string | null {
  const text = entry.trim();
  return (
    plainAddress(text) ??
    plainAddress(text.replace(/:\d{1,5}$/, '')) ??
    plainAddress(/^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? '')
  );
}

/** An IPv4 address that arrives on an IPv6 socket is written as IPv4. */
function plainAddress(text: string): string | null {
  const bare = text.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(bare) > 0 ? bare : null;
}

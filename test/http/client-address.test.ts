import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../src/http/client-address.ts';
import type { TrustedProxies } from '../../src/platform/config/server.ts';

const from = (remoteAddress: string | undefined, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

describe('clientAddress', () => {
  it('is the address of the socket, whatever the caller sends, when no proxy is trusted', () => {
    expect(clientAddress(from('198.51.100.7', '203.0.113.9'))).toBe('198.51.100.7');
    expect(clientAddress(from('::ffff:198.51.100.7'))).toBe('198.51.100.7');
    expect(clientAddress(from(undefined))).toBeNull();
  });

  it.each<[trusted: TrustedProxies, forwarded: string | undefined, client: string]>([
    [['10.0.0.0/8'], '203.0.113.9', '203.0.113.9'],
    // The caller wrote the first itself.
    [['10.0.0.0/8'], '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    [['10.0.0.0/8'], '203.0.113.9, 10.9.9.9', '203.0.113.9'],
    [['10.0.0.1'], '203.0.113.9, 10.9.9.9', '10.9.9.9'],
    [['192.168.0.0/16'], '203.0.113.9', '10.0.0.1'],
    [['10.0.0.0/8', '2001:db8::/32'], '203.0.113.9, 2001:db8::5', '203.0.113.9'],
    [['10.0.0.0/8'], undefined, '10.0.0.1'],
    [['10.0.0.0/8'], 'unknown', '10.0.0.1'],
    [['10.0.0.0/8'], '203.0.113.9:4711', '203.0.113.9'],
    [['10.0.0.0/8'], '[2001:db8::1]:4711', '2001:db8::1'],
    [1, '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    [2, '1.1.1.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    [5, '203.0.113.9', '203.0.113.9'],
    [0, '203.0.113.9', '10.0.0.1'],
  ])('with trusted proxies %j and the header %j is %s', (trusted, forwarded, client) => {
    expect(clientAddress(from('10.0.0.1', forwarded), trusted)).toBe(client);
  });
});

/** Requests to addresses that administrators of tenants choose. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardedFetch } from '../../src/platform/guarded-fetch.ts';

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let count = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    count += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe('guardedFetch', () => {
  it('sends the request, and gives the answer', async () => {
    answer = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify([request.method, request.headers['x-test'], Buffer.concat(chunks).toString()]),
      );
    };
    const body = new URLSearchParams({ a: '1 2' });
    const response = await guardedFetch(url, { method: 'POST', headers: { 'x-test': 'yes' }, body }, true);
    expect([response.status, response.headers.get('content-type')]).toEqual([201, 'application/json']);
    expect(await response.json()).toEqual(['POST', 'yes', 'a=1+2']);
  });

  it('does not follow redirects', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: `${url}/other` }).end();
    const before = count;
    expect((await guardedFetch(url, {}, true)).status).toBe(302);
    expect(count).toBe(before + 1);
  });

  it('reads no more than 1 MiB', async () => {
    answer = (_request, response) => void response.end(Buffer.alloc(1024 * 1024 + 1));
    await expect(guardedFetch(url, {}, true)).rejects.toThrow(/longer than/);
  });

  it.each([
    ['has a status that does not exist', '999 Odd\r\ncontent-length: 0', /status/],
    ['changes the protocol', '101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other', /protocol/],
  ])('fails if the answer %s', async (_what, head, message) => {
    answer = (_request, response) => void response.socket?.end(`HTTP/1.1 ${head}\r\n\r\n`);
    await expect(guardedFetch(url, {}, true)).rejects.toThrow(message);
  });

  it('fails if the connection breaks', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345', () => response.destroy());
    };
    await expect(guardedFetch(url, {}, true)).rejects.toThrow();
  });

  it.each([
    ['this machine', () => url],
    ['this machine by its name', () => url.replace('127.0.0.1', 'localhost')],
    ['this machine in IPv6', () => 'http://[::1]:1/'],
    ['this machine as an IPv4 address in IPv6', () => 'http://[::ffff:127.0.0.1]:1/'],
    ['a private network', () => 'http://10.0.0.1/'],
    ['the metadata of a cloud', () => 'http://169.254.169.254/'],
  ])('does not reach %s unless private addresses are allowed', async (_what, address) => {
    const before = count;
    await expect(guardedFetch(address(), {}, false)).rejects.toThrow('the address is in a private network');
    expect(count).toBe(before);
  });
});

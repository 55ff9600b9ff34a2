import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createListener } from '../../src/http/listener.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server whose answers may stay unread for 50 ms. */
async function listen(answer: Parameters<typeof createListener>[1]) {
  const server = createListener({ unreadMs: 50 }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

describe('the time for which an answer may stay unread', () => {
  it('does not end work that takes longer', async () => {
    const { server, port } = await listen(async (_request, response) => {
      await once(server, 'timeout');
      response.end('done');
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('done');
  });

  it('ends a connection whose client does not read', async () => {
    let cut: Promise<unknown> = Promise.resolve();
    const { server, port } = await listen(async (_request, response) => {
      cut = once(response, 'close');
      response.write(Buffer.alloc(64 * 1024 * 1024));
    });
    const asked = once(server, 'request');
    const socket = connect(port, '127.0.0.1').pause();
    closing.push(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [, response] = await asked;
    await cut;
    expect(response.writableFinished).toBe(false);
  });
});

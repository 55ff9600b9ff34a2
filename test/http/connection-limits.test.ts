/** How many connections the server accepts, and for how long a connection may stay without traffic. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningServer, startServer } from '../../src/http/server.ts';
import { eventually } from '../support/waiting.ts';

vi.hoisted(() => {
  process.env['CONNECTION_LIMIT'] = '10';
});

/** The servers that listen. */
const listening = vi.hoisted(() => [] as Server[]);
vi.mock('../../src/platform/listen.ts', async (original) => {
  const { listen } = await original<typeof import('../../src/platform/listen.ts')>();
  const keepAndListen: typeof listen = (server, ...address) => {
    listening.push(server as Server);
    return listen(server, ...address);
  };
  return { listen: keepAndListen };
});

let running: RunningServer;
beforeAll(async () => {
  running = await startServer({ host: '127.0.0.1', port: 0 });
});
afterAll(() => running.stop());

const open: Socket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await eventually(connections, (count) => count === 0);
});

function connection(): Socket {
  const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
  socket.on('error', () => {});
  open.push(socket);
  return socket;
}
const connections = () =>
  new Promise<number>((resolve) => listening[0]?.getConnections((_error, count) => resolve(count)));

const request = 'GET /health/alive HTTP/1.1\r\nHost: x\r\n\r\n';
/** The first line of the answer; null if the connection ends without one. */
function answerOn(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    socket.once('data', (text) => resolve(String(text).split('\r\n', 1)[0] ?? ''));
    socket.once('close', () => resolve(null));
    socket.write(request);
  });
}

describe('the server', () => {
  it('answers on as many connections as CONNECTION_LIMIT says, and closes a further one', async () => {
    const sockets = Array.from({ length: 10 }, connection);
    const answers = await Promise.all(sockets.map(answerOn));
    expect(answers).toEqual(sockets.map(() => 'HTTP/1.1 200 OK'));
    expect(await answerOn(connection())).toBeNull();
    // Those within the limit go on.
    expect(await answerOn(sockets[0] as Socket)).toBe('HTTP/1.1 200 OK');
    // The place of a connection that has ended is free.
    sockets[1]?.destroy();
    await eventually(connections, (count) => count === 9);
    expect(await answerOn(connection())).toBe('HTTP/1.1 200 OK');
  });

  it('keeps a connection open for KEEP_ALIVE_SECONDS after an answer, which load balancers find long enough', async () => {
    const [server] = listening;
    if (!server) throw new Error('no server listens');
    const asked = connection();
    asked.write(request);
    const [answer] = await once(asked, 'data');
    expect(String(answer)).toContain('Keep-Alive: timeout=75\r\n');
    expect(server.keepAliveTimeout).toBe(75_000);
    // The same server with a shorter time.
    server.keepAliveTimeout = 50;
    try {
      const socket = connection();
      const closed = once(socket, 'close');
      expect(await answerOn(socket)).toBe('HTTP/1.1 200 OK');
      await closed;
    } finally {
      server.keepAliveTimeout = 75_000;
    }
  });

  it('closes a connection without traffic after 60 seconds', async () => {
    const [server] = listening;
    if (!server) throw new Error('no server listens');
    expect(server.timeout).toBe(60_000);
    // The same server with a shorter time, which counts for new connections.
    server.timeout = 50;
    try {
      const socket = connection();
      await once(socket, 'close');
      expect(socket.bytesRead).toBe(0);
    } finally {
      server.timeout = 60_000;
    }
  });
});

/** New connections are all taken up before one of them is read, and then the newest and the oldest in turn. */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createListener } from '../../src/http/listener.ts';
import { NewConnections } from '../../src/http/new-connections.ts';
import { turns } from '../../src/http/turns.ts';
import { listen } from '../../src/platform/listen.ts';

const nextRound = () => new Promise((resolve) => setImmediate(resolve));

/** A server whose connections are numbers. @returns which of them were read, in their order. */
function watched() {
  const server = new EventEmitter();
  new NewConnections().watch(server as unknown as Server);
  const read: number[] = [];
  const take = (name: number) => server.emit('connection', { resume: () => read.push(name) });
  return { read, take };
}

describe('new connections', () => {
  it('are read when no more come: the newest, the oldest, and so on, one in each round', async () => {
    const { read, take } = watched();
    for (const name of [1, 2, 3]) {
      take(name);
      await nextRound();
      expect(read).toEqual([]);
    }
    take(4);
    take(5);
    await nextRound();
    expect(read).toEqual([]);
    for (const count of [1, 2, 3, 4, 5]) {
      await nextRound();
      expect(read).toHaveLength(count);
    }
    expect(read).toEqual([5, 1, 4, 2, 3]);
    take(6);
    await nextRound();
    await nextRound();
    expect(read.at(-1)).toBe(6);
  });

  it('hold up long work in each round until the last of them is read', async () => {
    const note = vi.spyOn(turns, 'noteConnection');
    onTestFinished(() => note.mockRestore());
    const { read, take } = watched();
    for (const name of [1, 2, 3]) take(name);
    expect(note).toHaveBeenCalledTimes(3);
    for (const calls of [4, 5, 6, 6, 6]) {
      await nextRound();
      expect(note).toHaveBeenCalledTimes(calls);
    }
    expect(read).toHaveLength(3);
  });

  it('are read also if others come without end: one in 65 rounds', async () => {
    const { read, take } = watched();
    for (let name = 1; name <= 65; name += 1) {
      expect(read).toEqual([]);
      take(name);
      await nextRound();
    }
    expect(read).toEqual([65]);
    for (let name = 66; name <= 130; name += 1) {
      expect(read).toEqual([65]);
      take(name);
      await nextRound();
    }
    expect(read).toEqual([65, 1]);
  });

  it('of a real server wait for that, and are answered', async () => {
    const isPaused: boolean[] = [];
    const server = createListener({}, async (request, response) => void response.end(request.url));
    server.on('connection', (socket: Socket) => isPaused.push(socket.isPaused()));
    await listen(server, { host: '127.0.0.1', port: 0 });
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const socket = connect(port, '127.0.0.1');
        socket.write(`GET /${at} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        let text = '';
        for await (const piece of socket) text += piece;
        return text;
      }),
    );
    expect(isPaused).toEqual(Array.from({ length: 20 }, () => true));
    for (const [at, answer] of answers.entries()) expect(answer).toMatch(new RegExp(`\\b${at}\\b[^]*$`));
  });
});

/**
 * Clients that send much, or read nothing: the server does a limited amount of work for each connection, and keeps a
 * limited amount in memory. Small in the usual run; with SOAK=1, the numbers of an attack.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { schema } from '../../src/api/schema.ts';
import { accessFeed } from '../../src/authorization/feed.ts';
import { BytesUnderWay, bytesUnderWay } from '../../src/http/bytes-under-way.ts';
import { SocketConnection } from '../../src/http/socket-connection.ts';
import { log } from '../../src/platform/log.ts';
import { type App, startApp } from '../support/app.ts';
import { eventually, hangTable } from '../support/waiting.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const isSoak = Boolean(process.env['SOAK']);
const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function connection(): Socket {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  open.push(socket);
  return socket;
}

/** A connection of graphql-transport-ws that has begun. */
async function socketOf(authorization: unknown) {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  open.push({ destroy: () => socket.terminate() });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: authorization ? { authorization } : {} }));
  return socket;
}
const acknowledged = async (authorization: unknown) => {
  const socket = await socketOf(authorization);
  await once(socket, 'message');
  return socket;
};
const closeOf = async (socket: WebSocket) => {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
};
const subscribe = (id: number, query: string) =>
  JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } });

/** Until nothing has changed for a while. */
async function unchanged(state: () => string): Promise<void> {
  let before = '';
  let times = 0;
  await eventually(
    () => {
      const now = state();
      times = now === before ? times + 1 : 0;
      before = now;
      return times;
    },
    (unchangedTimes) => unchangedTimes === 20,
  );
}

/** Counts how often a field is resolved, and lets it wait. */
function held(name: string) {
  const field = schema.getQueryType()?.getFields()[name];
  if (!field?.resolve) throw new Error('no such field');
  const { resolve } = field;
  const waiting: (() => void)[] = [];
  let begun = 0;
  field.resolve = async (...args) => {
    begun += 1;
    await new Promise<void>((go) => waiting.push(go));
    return await resolve(...args);
  };
  return {
    begun: () => begun,
    /** What lets each operation go on that waits now. */
    waiting,
    restore: () => {
      field.resolve = resolve;
      for (const go of waiting.splice(0)) go();
    },
  };
}

describe('a WebSocket with many operations', () => {
  it('runs ten at once, in their order, and answers all of them in the end', async () => {
    const fields = held('version');
    try {
      const socket = await acknowledged(app.admin);
      const answered: number[] = [];
      socket.on('message', (text) => {
        const { type, id } = JSON.parse(String(text));
        if (type === 'complete') answered.push(Number(id));
      });
      const count = isSoak ? 300 : 35;
      for (let id = 1; id <= count; id += 1) socket.send(subscribe(id, '{ version { version } }'));
      for (let begun = 10; answered.length < count; begun = Math.min(begun + 10, count)) {
        await eventually(fields.begun, (now) => now >= begun);
        expect(fields.begun()).toBe(begun);
        for (const go of fields.waiting.splice(0)) go();
        await eventually(
          () => answered.length,
          (now) => now === begun,
        );
      }
      expect(answered).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    } finally {
      fields.restore();
    }
  });

  it('which does not read its answers, is not read either, begins few of them, and is closed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const field = schema.getQueryType()?.getFields()['version'];
    const resolve = field?.resolve;
    if (!field || !resolve) throw new Error('no such field');
    let begun = 0;
    field.resolve = (...args) => {
      begun += 1;
      return resolve(...args);
    };
    try {
      const socket = await acknowledged(app.admin);
      socket.pause();
      // Each answer has about 1.3 MB.
      const types =
        '__schema { types { name description fields { name description args { name description } } } }';
      const count = isSoak ? 300 : 100;
      // More than the buffers of the two systems hold.
      const payload = {
        query: `{ version { version } ${types} }`,
        extensions: { pad: 'x'.repeat(300_000) },
      };
      for (let id = 1; id <= count; id += 1)
        socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
      await eventually(
        () => begun,
        (now) => now >= 10,
      );
      await unchanged(() => `${begun} ${socket.bufferedAmount}`);
      expect(begun).toBeLessThan(60);
      expect(socket.bufferedAmount).toBeGreaterThan(0);
      const closed = once(socket, 'close');
      // It closes when nothing was read in a whole period.
      vi.advanceTimersByTime(20_000);
      vi.advanceTimersByTime(20_000);
      vi.useRealTimers();
      socket.resume();
      await closed;
      expect(begun).toBeLessThan(60);
    } finally {
      field.resolve = resolve;
    }
  });
});

describe('a WebSocket with many long operations', () => {
  it('is not read while ten of them ask the database who their caller is, and answers all of them afterwards', async () => {
    const socket = await acknowledged(app.admin);
    let answered = 0;
    socket.on('message', (text) => {
      answered += JSON.parse(String(text)).type === 'complete' ? 1 : 0;
    });
    const prepare = vi.spyOn(SocketConnection.prototype, 'prepare');
    vi.spyOn(accessFeed, 'isFresh', 'get').mockReturnValue(false);
    const release = await hangTable('users');
    // More than the buffers of the two systems hold.
    const payload = { query: '{ version { version } }', extensions: { pad: 'x'.repeat(300_000) } };
    const count = 100;
    for (let id = 1; id <= count; id += 1)
      socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
    await eventually(
      () => prepare.mock.calls.length,
      (begun) => begun >= 10,
    );
    await unchanged(() => `${prepare.mock.calls.length} ${socket.bufferedAmount}`);
    expect(prepare).toHaveBeenCalledTimes(10);
    expect(socket.bufferedAmount).toBeGreaterThan(0);
    await release();
    await eventually(
      () => answered,
      (now) => now === count,
    );
  });
});

describe('a WebSocket of a stranger', () => {
  it('is closed when its message is longer than 128 KiB, before all of it has arrived', async () => {
    const socket = await acknowledged(null);
    const closed = closeOf(socket);
    socket.send(subscribe(1, `{ version { version } } #${'x'.repeat(2_000_000)}`));
    expect([1006, 1009]).toContain(await closed);
    await eventually(
      () => bytesUnderWay.stranger.total,
      (total) => total === 0,
    );
  });

  it('may be of any length within the limit of the server after a sign-in', async () => {
    const socket = await acknowledged(app.admin);
    socket.send(subscribe(1, `{ version { version } } #${'x'.repeat(200_000)}`));
    const [text] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(String(text))).toMatchObject({ id: '1', type: 'next' });
    expect(bytesUnderWay.signedIn.total).toBe(0);
  });

  it.each([[['Bearer x']], [1], [{}], [true]])(
    'is not what a caller becomes whose credentials are no text: %j',
    async (authorization) => {
      expect(await closeOf(await socketOf(authorization))).toBe(4400);
    },
  );

  it('whose message is not of the protocol is closed, and the log has one line', async () => {
    const warn = vi.spyOn(log, 'warn');
    const consoles = vi.spyOn(console, 'error');
    const socket = await acknowledged(null);
    const closed = closeOf(socket);
    for (let time = 0; time < 20; time += 1)
      socket.send(JSON.stringify({ id: '1', type: 'next', payload: {} }));
    expect(await closed).toBe(4500);
    expect(consoles).not.toHaveBeenCalled();
    const said = warn.mock.calls.filter(([, message]) => message === 'a message over WebSocket failed');
    expect(said).toHaveLength(1);
  });
});

describe('a connection with many requests', () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: slipway.example\r\n\r\n`;

  it('gets its answers in order', async () => {
    const socket = connection();
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    socket.write(`${get('/health/alive')}${get('/nothing')}`.repeat(20));
    await eventually(
      () => text.match(/HTTP\/1\.1 \d+/g)?.length ?? 0,
      (count) => count === 40,
    );
    const statuses = text.match(/HTTP\/1\.1 \d+/g) ?? [];
    expect(statuses).toEqual(Array.from({ length: 20 }, () => ['HTTP/1.1 200', 'HTTP/1.1 404']).flat());
  });

  it('begins one at a time, and is closed when a hundred wait', async () => {
    const fields = held('version');
    try {
      const socket = connection();
      const closed = once(socket, 'close');
      const body = JSON.stringify({ query: '{ version { version } }' });
      const post = `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: ${app.admin}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      socket.write(post.repeat(50));
      await eventually(fields.begun, (now) => now === 1);
      socket.write(post.repeat(60));
      await closed;
      expect(fields.begun()).toBe(1);
    } finally {
      fields.restore();
    }
  });
});

describe('bodies that arrive slowly', () => {
  const begin = (headers: string, length: number) => {
    const socket = connection();
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n`,
    );
    return socket;
  };
  const answerOf = async (socket: Socket) => String((await once(socket, 'data'))[0]);

  it('of strangers have at most 64 KiB', async () => {
    expect(await answerOf(begin('', 65_537))).toMatch(/^HTTP\/1\.1 413 /);
    const query = '{ fixedUsersMode { enabled } }';
    const post = (bytes: number) =>
      fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }).padEnd(bytes),
      });
    expect((await post(65_536)).status).toBe(200);
    expect((await post(65_537)).status).toBe(413);
  });

  it('are bounded over all connections, and give back what they took', async () => {
    const take = vi.spyOn(BytesUnderWay.prototype, 'take');
    const signedIn = `Authorization: ${app.admin}\r\n`;
    const count = isSoak ? 250 : 30;
    const piece = 'x'.repeat(3_900_000);
    const sockets = Array.from({ length: count }, () => begin(signedIn, 4_000_000));
    const answers: string[] = [];
    for (const socket of sockets) {
      socket.on('data', (text) => answers.push(String(text).slice(0, 12)));
      socket.write(piece);
    }
    // 64 MiB have room for 17 of them.
    await eventually(
      () => answers.length,
      (refused) => refused >= count - 17,
    );
    expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 503']));
    expect(take).toHaveBeenCalled();
    expect(bytesUnderWay.signedIn.total).toBeLessThanOrEqual(64 * 1024 * 1024);
    // Strangers have bytes of their own.
    expect((await app.ask('{ fixedUsersMode { enabled } }', {}, null)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await eventually(
      () => bytesUnderWay.signedIn.total,
      (total) => total === 0,
    );
    expect((await app.ask('{ viewer { username } }')).data.viewer.username).toBe('admin');
  });
});

describe('bytes under way', () => {
  it('are taken up to the limit and not beyond', () => {
    const bytes = new BytesUnderWay(10);
    bytes.take(4);
    bytes.take(6);
    expect(() => bytes.take(1)).toThrow('too many long requests');
    expect(bytes.total).toBe(10);
    bytes.giveBack(6);
    bytes.take(6);
    expect(() => bytes.take(1)).toThrow();
  });
});

/** Answers that a caller does not read are kept in memory, and their number is limited by caller and in all. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { schema } from '../../src/api/schema.ts';
import { UnreadAnswers, unreadAnswers } from '../../src/http/unread-answers.ts';
import { type App, startApp } from '../support/app.ts';
import { newCaller } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

describe('the room for answers', () => {
  const room = () => new UnreadAnswers({ ofCaller: 100, inAll: 250 });
  const refused = (answers: UnreadAnswers, caller: string | null) => {
    try {
      answers.requireRoom(caller);
      return null;
    } catch (error) {
      return (error as { extensions: { code: string } }).extensions.code;
    }
  };

  it('ends for a caller whose answers have as many bytes as one caller may have', () => {
    const answers = room();
    answers.hold('one', 99);
    expect(refused(answers, 'one')).toBeNull();
    answers.hold('one', 1);
    expect(refused(answers, 'one')).toBe('RESOURCE_EXHAUSTED');
    expect(refused(answers, 'other')).toBeNull();
  });

  it('is there again when enough was read', () => {
    const answers = room();
    const read = answers.hold('one', 60);
    answers.hold('one', 40);
    expect(refused(answers, 'one')).toBe('RESOURCE_EXHAUSTED');
    read();
    expect(refused(answers, 'one')).toBeNull();
    expect(answers.total).toBe(40);
  });

  it('ends for everybody when the answers to all have too many bytes', () => {
    const answers = room();
    for (const caller of ['one', 'two', 'three']) answers.hold(caller, 90);
    expect(refused(answers, 'four')).toBe('UNAVAILABLE');
  });

  it('is not limited for executors', () => {
    const answers = room();
    answers.hold(null, 1000);
    expect(refused(answers, null)).toBeNull();
    expect(answers.total).toBe(0);
  });
});

describe('a caller who reads nothing', () => {
  const LONG = 20 * 1024 * 1024;
  let app: App;
  let guest: string;
  const open: { destroy(): void }[] = [];
  const field = schema.getQueryType()?.getFields()['version'];
  const resolve = field?.resolve;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
    guest = await newCaller({ role: 'GUEST' });
    // Longer than what the network between client and server holds. In words, because the watcher of secrets in
    // test/support/leaks.ts cannot decode a text of this length that could be base64.
    if (field) field.resolve = () => ({ version: 'word '.repeat(LONG / 5) });
  });
  afterAll(async () => {
    if (field) field.resolve = resolve;
    await app.stop();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) one.destroy();
    await eventually(
      () => unreadAnswers.total,
      (total) => total === 0,
    );
  });

  const query = '{ version { version } }';
  const ask = async (authorization: string) => {
    const answer = await app.ask('{ viewer { id } }', {}, authorization);
    return [answer.status, answer.errors?.[0]?.extensions.code];
  };
  const held = () =>
    eventually(
      () => unreadAnswers.total,
      (total) => total > LONG,
    );

  /** A connection that has sent a request. */
  const requestOn = (asked: string) => {
    const { hostname, port } = new URL(app.url);
    const socket: Socket = connect(Number(port), hostname).on('error', () => {});
    open.push(socket);
    const body = JSON.stringify({ query: asked });
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: ${guest}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  };

  it('gets no second long answer, also if it asks for several at the same time', async () => {
    const dear = '{ version { version } __schema { types { name } } }';
    const heads: string[] = [];
    for (const socket of [1, 2, 3].map(() => requestOn(dear)))
      socket.once('data', (piece) => {
        heads.push(String(piece).slice(0, 12));
        socket.pause();
      });
    await eventually(
      () => heads.length,
      (count) => count === 3,
    );
    expect(heads.sort()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 429', 'HTTP/1.1 429']);
    expect(unreadAnswers.total).toBeLessThan(1.1 * LONG);
  });

  it('is refused over HTTP until the answer is gone, and nobody else is', async () => {
    const socket = requestOn(query).pause();
    await held();
    expect(await ask(guest)).toEqual([429, 'RESOURCE_EXHAUSTED']);
    expect(await ask(app.admin)).toEqual([200, undefined]);
    socket.destroy();
    await eventually(
      () => unreadAnswers.total,
      (total) => total === 0,
    );
    expect(await ask(guest)).toEqual([200, undefined]);
  });

  const socketOf = async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    open.push({ destroy: () => socket.terminate() });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: guest } }));
    await once(socket, 'message');
    return socket;
  };
  const send = (socket: WebSocket) =>
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));

  it('is refused over WebSocket, too, also on another one', async () => {
    const unread = await socketOf();
    unread.pause();
    send(unread);
    await held();
    const other = await socketOf();
    send(other);
    const [message] = (await once(other, 'message')) as [Buffer];
    expect(JSON.parse(String(message))).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'RESOURCE_EXHAUSTED' } }],
    });
    expect(await ask(guest)).toEqual([429, 'RESOURCE_EXHAUSTED']);
  });
});

/**
 * Long work is done in turns, one piece in every second turn of the event loop, so that others are answered in between.
 * The tests count the turns of the event loop, and compare in which of them the pieces were done.
 */
import { once } from 'node:events';
import { GraphQLError } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { schema } from '../../src/api/schema.ts';
import { ArrivedMessages } from '../../src/http/arrived-messages.ts';
import { LONG_BODY_BYTES, Turns, turns } from '../../src/http/turns.ts';
import { unreadAnswers } from '../../src/http/unread-answers.ts';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { type App, startApp } from '../support/app.ts';
import { eventually } from '../support/waiting.ts';

/** The number of the turn of the event loop. */
let turn = 0;
/** Counts turns only during a test, because this keeps the process busy. */
const counted = async (test: () => Promise<void>) => {
  let isOver = false;
  const next = () => {
    turn += 1;
    if (!isOver) setImmediate(next);
  };
  setImmediate(next);
  try {
    await test();
  } finally {
    isOver = true;
  }
};

const small = { ofCaller: 3, inAll: 5, queries: 2 };
const codeOf = (error: unknown) => (error as { extensions: { code: string } }).extensions.code;

describe('turns', () => {
  it('do one piece of work in every second turn of the event loop', () =>
    counted(async () => {
      const own = new Turns(small);
      const at: number[] = [];
      const work = async (wait: Promise<void>) => {
        await wait;
        at.push(turn);
      };
      await Promise.all([work(own.begin('one')), work(own.begin('two')), work(own.goOn()), work(own.goOn())]);
      const [first = 0] = at;
      expect(at).toEqual([first, first + 2, first + 4, first + 6]);
    }));

  it('wait while connections are taken up, for at most 64 rounds', () =>
    counted(async () => {
      const own = new Turns(small);
      const roundsWith = async (connections: number) => {
        await own.begin('one');
        const from = turn;
        let left = connections;
        const takeUp = () => {
          if (left <= 0) return;
          left -= 1;
          own.noteConnection();
          setImmediate(takeUp);
        };
        takeUp();
        await own.begin('two');
        return turn - from;
      };
      expect(await roundsWith(0)).toBe(2);
      expect(await roundsWith(10)).toBe(12);
      expect(await roundsWith(1000)).toBe(66);
    }));

  it('go round the callers, and each caller gets its own in order', async () => {
    const own = new Turns(small);
    const done: string[] = [];
    const work = async (caller: string, name: string) => {
      await own.begin(caller);
      done.push(name);
    };
    await Promise.all([work('a', 'a1'), work('a', 'a2'), work('a', 'a3'), work('b', 'b1'), work('c', 'c1')]);
    expect(done).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
  });

  it('end what has begun before something else begins', async () => {
    const own = new Turns(small);
    const done: string[] = [];
    const work = async (name: string) => {
      await own.begin('a');
      done.push(`${name} begins`);
      await own.goOn();
      done.push(`${name} ends`);
    };
    await Promise.all([work('1'), work('2')]);
    expect(done).toEqual(['1 begins', '1 ends', '2 begins', '2 ends']);
  });

  it('begin only some queries before others have ended, and other work in the meantime', async () => {
    const own = new Turns(small);
    const begun: string[] = [];
    const query = async (caller: string, name: string) => {
      const end = await own.beginQuery(caller);
      begun.push(name);
      return end;
    };
    const [first, second, third, fourth] = [
      query('a', 'a1'),
      query('a', 'a2'),
      query('a', 'a3'),
      query('b', 'b1'),
    ];
    (await first)();
    const endOfFourth = await fourth;
    await own.begin('c');
    begun.push('c');
    expect(begun).toEqual(['a1', 'b1', 'a2', 'c']);
    (await second)();
    const endOfThird = await third;
    expect(begun.at(-1)).toBe('a3');
    // All places are taken again.
    const last = query('a', 'a4');
    await own.begin('c');
    expect(own.count).toBe(1);
    endOfFourth();
    (await last)();
    endOfThird();
    expect(begun.at(-1)).toBe('a4');
  });

  it('refuse a caller for whom too much waits, and nobody else', async () => {
    const own = new Turns(small);
    const waiting = ['a', 'a', 'a'].map((caller) => own.begin(caller));
    expect(codeOf(await own.begin('a').catch((error) => error))).toBe('RESOURCE_EXHAUSTED');
    await Promise.all([...waiting, own.begin('b')]);
    expect(own.count).toBe(0);
    await own.begin('a');
  });

  it('refuse everybody when too much waits in all', async () => {
    const own = new Turns(small);
    const waiting = ['a', 'a', 'a', 'b', 'b'].map((caller) => own.begin(caller));
    expect(codeOf(await own.begin('c').catch((error) => error))).toBe('UNAVAILABLE');
    await Promise.all(waiting);
    await own.begin('c');
  });
});

describe('the messages of a WebSocket', () => {
  const short = (name: string) => Buffer.from(name);
  const long = (name: string) => Buffer.from(name.padEnd(LONG_BODY_BYTES + 1));
  const taken = () => {
    const names: string[] = [];
    const messages = new ArrivedMessages((message) => names.push(String(message).trim()));
    return { names, messages };
  };

  it('are taken when they arrive, ten of those that arrive together, and the others in turns, ten in each', async () => {
    const { names, messages } = taken();
    const all = Array.from({ length: 25 }, (_, at) => String(at));
    messages.beginChunk();
    for (const name of all) messages.add(short(name));
    expect(names).toEqual(all.slice(0, 10));
    expect(messages.count).toBe(15);
    expect(await messages.takeNext('a')).toBe(true);
    expect(names).toEqual(all.slice(0, 20));
    expect(await messages.takeNext('a')).toBe(true);
    expect(names).toEqual(all);
    expect(await messages.takeNext('a')).toBe(false);
  });

  it('are taken when they arrive, however many, if they arrive one after the other', () => {
    const { names, messages } = taken();
    for (let at = 0; at < 25; at += 1) {
      messages.beginChunk();
      messages.add(short(String(at)));
    }
    expect(names).toHaveLength(25);
  });

  it('wait if they are long, and so does what is behind them', async () => {
    const { names, messages } = taken();
    for (const message of [short('1'), long('2'), short('3'), short('4'), long('5')]) messages.add(message);
    expect(names).toEqual(['1']);
    await messages.takeNext('a');
    expect(names).toEqual(['1', '2', '3', '4']);
    await messages.takeNext('a');
    expect(names).toEqual(['1', '2', '3', '4', '5']);
  });

  it('are forgotten when their connection is closed', async () => {
    const { names, messages } = taken();
    messages.add(long('1'));
    const next = messages.takeNext('a');
    messages.clear();
    await next;
    expect(names).toEqual([]);
  });
});

describe('the edge', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
  });
  afterAll(() => app.stop());
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const post = async (body: string) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: app.admin },
      body,
    });
    return await response.text();
  };
  const socketOf = async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: app.admin } }));
    await once(socket, 'message');
    return socket;
  };
  /** Sends messages over a WebSocket each, and waits for the answers. */
  const over = async (sockets: readonly WebSocket[], payload: object) => {
    const answers = sockets.map((socket) => once(socket, 'message'));
    for (const socket of sockets) socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    const texts = (await Promise.all(answers)).map(([text]) => String(text));
    for (const socket of sockets) socket.terminate();
    return texts;
  };
  const pad = { pad: 'word '.repeat(LONG_BODY_BYTES / 4) };
  const long = JSON.stringify({ query: '{ version { version } }', extensions: pad });

  /** In which turns of the event loop a long text was parsed. */
  const parsings = () => {
    const at: number[] = [];
    const { parse } = JSON;
    vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
      if (text.length > LONG_BODY_BYTES) at.push(turn);
      return parse(text, reviver);
    });
    return at;
  };
  /** In which turns of the event loop a field of Query was resolved. */
  const resolutions = (name: string) => {
    const at: number[] = [];
    const field = schema.getQueryType()?.getFields()[name];
    if (!field?.resolve) throw new Error('no such field');
    const { resolve } = field;
    vi.spyOn(field, 'resolve').mockImplementation((...args) => {
      at.push(turn);
      return resolve(...args);
    });
    return at;
  };
  const dear = '{ fixedUsersMode { enabled } __schema { types { name } } }';

  it.each([
    ['bodies', () => Promise.all([1, 2, 3, 4].map(() => post(long)))],
    ['messages', async () => over(await Promise.all([1, 2, 3, 4].map(socketOf)), JSON.parse(long) as object)],
  ])('parses one of the long %s in each turn', (_what, send) =>
    counted(async () => {
      const at = parsings();
      const answers = await send();
      expect(answers).toHaveLength(4);
      for (const answer of answers) expect(answer).toContain('"version":');
      expect(at.length).toBeGreaterThanOrEqual(4);
      expect(new Set(at).size).toBe(at.length);
    }),
  );

  it.each([
    ['HTTP', () => Promise.all([1, 2, 3, 4].map(() => post(JSON.stringify({ query: dear }))))],
    ['a batch', async () => [await post(JSON.stringify([1, 2, 3, 4].map(() => ({ query: dear }))))]],
    ['WebSocket', async () => over(await Promise.all([1, 2, 3, 4].map(socketOf)), { query: dear })],
  ])('runs one of the dear operations in each turn, over %s', (_transport, send) =>
    counted(async () => {
      const at = resolutions('fixedUsersMode');
      for (const answer of await send()) expect(answer).toContain('"fixedUsersMode"');
      expect(at).toHaveLength(4);
      expect(new Set(at).size).toBe(4);
    }),
  );

  it('makes JSON of one long answer in each turn, and of none in the turn that made it', () =>
    counted(async () => {
      const ran = resolutions('fixedUsersMode');
      const at: number[] = [];
      const { stringify } = JSON;
      vi.spyOn(JSON, 'stringify').mockImplementation((value, ...rest) => {
        const text = stringify(value, ...(rest as []));
        if (text?.startsWith('{"data":{"fixedUsersMode"')) at.push(turn);
        return text;
      });
      await Promise.all([1, 2, 3, 4].map(() => post(`{"query":"${dear}"}`)));
      expect(at).toHaveLength(4);
      expect(new Set([...at, ...ran]).size).toBe(8);
    }));

  const version = (length = 0) => ({
    query: `{ version { version } }${length ? ` #${'x'.repeat(length)}` : ''}`,
  });
  const waits: readonly (readonly [
    what: string,
    send: () => Promise<unknown>,
    /** How often something waits to begin, if it is always as often, and how often what has begun waits again. */
    times: readonly [begin: number | null, goOn: number],
  ])[] = [
    ['a long document: once', () => post(JSON.stringify(version(3000))), [1, 0]],
    [
      'a batch of documents that are long together: once, and once more for the long one of them',
      () => post(JSON.stringify([version(10), version(2500)])),
      [2, 0],
    ],
    [
      'a long body: to arrive and to be read, then twice to be parsed, then to have its variables checked',
      () => post(long),
      [null, 3],
    ],
    [
      'a long message: to arrive and to be parsed, then to have its numbers checked, then its variables',
      async () => over([await socketOf()], JSON.parse(long)),
      [null, 2],
    ],
    [
      'a dear operation with a long answer: to run, and to become JSON',
      () => post(`{"query":"${dear}"}`),
      [1, 1],
    ],
    ['a short operation: never', () => post(JSON.stringify(version())), [0, 0]],
    ['a short operation over a WebSocket: never', async () => over([await socketOf()], version()), [0, 0]],
  ];
  it.each(waits)('waits for %s', async (_what, send, times) => {
    const begin = vi.spyOn(turns, 'begin');
    const beginQuery = vi.spyOn(turns, 'beginQuery');
    const goOn = vi.spyOn(turns, 'goOn');
    expect(String(await send())).not.toContain('"errors"');
    const [begins, goesOn] = times;
    const begun = begin.mock.calls.length + beginQuery.mock.calls.length;
    if (begins === null) expect(begun).toBeGreaterThan(1);
    else expect(begun).toBe(begins);
    expect(goOn).toHaveBeenCalledTimes(goesOn);
  });

  it('has as many dear queries under way as there are connections to the database, and then the next', async () => {
    const field = schema.getQueryType()?.getFields()['version'];
    const resolve = field?.resolve;
    if (!field) throw new Error('the field does not exist');
    let begun = 0;
    let open = () => {};
    const gate = new Promise<void>((go) => {
      open = go;
    });
    field.resolve = async (...args) => {
      begun += 1;
      await gate;
      return await resolve?.(...args);
    };
    const places = controlPlaneConfig.databasePoolSize;
    const asked = `{"query":"{ version { version } ${dear.slice(1)}"}`;
    const answers = Promise.all(Array.from({ length: places + 3 }, () => post(asked)));
    try {
      await eventually(
        () => turns.count,
        (count) => count === 3,
      );
      expect(begun).toBe(places);
      expect(begun).toBe(places);
      // Short work goes on.
      expect(String(await post('{"query":"{ fixedUsersMode { enabled } }"}'))).toContain('"enabled"');
      expect(begun).toBe(places);
    } finally {
      open();
      const all = await answers;
      field.resolve = resolve;
      for (const answer of all) expect(String(answer)).not.toContain('"errors"');
    }
    expect(begun).toBe(places + 3);
  });

  it('gives the place of a query that is refused in its turn to the next', async () => {
    const arrived = unreadAnswers.requireRoom.bind(unreadAnswers);
    let calls = 0;
    const room = vi.spyOn(unreadAnswers, 'requireRoom').mockImplementation((caller) => {
      calls += 1;
      // When it arrives there is room, and when its turn comes there is none.
      if (calls % 2 === 0) throw new GraphQLError('no room', { extensions: { code: 'UNAVAILABLE' } });
      arrived(caller);
    });
    for (let count = 0; count <= controlPlaneConfig.databasePoolSize; count += 1)
      expect(String(await post(`{"query":"${dear}"}`))).toContain('no room');
    room.mockRestore();
    expect(String(await post(`{"query":"${dear}"}`))).not.toContain('"errors"');
  });
});

/** How much cost one caller may use over time: the buckets themselves, and what callers see of them. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Meter, RateBuckets } from '../../src/http/rate.ts';
import { type Caller, systemCaller } from '../../src/platform/caller.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { newCaller, newKey, newUser, tokenOf } from '../support/users.ts';
import { overSse, overWebSocket } from '../support/watch.ts';

vi.hoisted(() => {
  process.env['RATE_COST_BURST'] = '100';
  // So slow that nothing comes back during a test.
  process.env['RATE_COST_PER_MINUTE'] = '1';
  process.env['CORS_ORIGINS'] = 'https://console.example';
});

describe('a bucket', () => {
  const at = 1_000_000;

  it('holds a burst and fills with time up to its limit', () => {
    const buckets = new RateBuckets({ perMinute: 60, burst: 10 });
    expect(buckets.take('a', 4, at)).toEqual({
      isTaken: true,
      remaining: 6,
      resetSeconds: 4,
      waitSeconds: 0,
    });
    expect(buckets.take('a', 7, at)).toEqual({
      isTaken: false,
      remaining: 6,
      resetSeconds: 4,
      waitSeconds: 1,
    });
    expect(buckets.take('a', 7, at + 1000).isTaken).toBe(true);
    expect(buckets.take('a', 10, at + 3_600_000)).toMatchObject({ isTaken: true, remaining: 0 });
    expect(buckets.take('a', 1, at + 3_600_000)).toMatchObject({ isTaken: false, waitSeconds: 1 });
  });

  it('exists once for each key', () => {
    const buckets = new RateBuckets({ perMinute: 1, burst: 1 });
    expect(buckets.take('a', 1, at).isTaken).toBe(true);
    expect(buckets.take('b', 1, at).isTaken).toBe(true);
    expect(buckets.take('a', 1, at).isTaken).toBe(false);
  });

  it('grants more than it holds when it is full, and fills up the debt afterwards', () => {
    const buckets = new RateBuckets({ perMinute: 60, burst: 10 });
    expect(buckets.take('a', 25, at)).toMatchObject({ isTaken: true, remaining: 0, resetSeconds: 25 });
    expect(buckets.take('a', 1, at + 15_000).isTaken).toBe(false);
    expect(buckets.take('a', 1, at + 16_000).isTaken).toBe(true);
  });

  it('takes back unused cost up to its limit', () => {
    const buckets = new RateBuckets({ perMinute: 60, burst: 10 });
    buckets.take('a', 9, at);
    expect(buckets.giveBack('a', 7, at)).toMatchObject({ isTaken: true, remaining: 8, resetSeconds: 2 });
    expect(buckets.giveBack('a', 7, at).remaining).toBe(10);
  });

  it('does not fill when the clock goes back', () => {
    const buckets = new RateBuckets({ perMinute: 60, burst: 10 });
    buckets.take('a', 10, at);
    expect(buckets.take('a', 1, at - 60_000).isTaken).toBe(false);
  });

  it('is forgotten when too many others were used after it', () => {
    const buckets = new RateBuckets({ perMinute: 1, burst: 1, most: 100 });
    buckets.take('first', 1, at);
    for (let other = 0; other < 99; other += 1) buckets.take(`${other}`, 1, at);
    // The least recently used key is forgotten, not the oldest one.
    expect(buckets.take('first', 1, at).isTaken).toBe(false);
    for (let other = 0; other < 50; other += 1) buckets.take(`later ${other}`, 1, at);
    expect(buckets.take('first', 1, at).isTaken).toBe(false);
    expect(buckets.take('0', 1, at).isTaken).toBe(true);
    for (let other = 0; other < 10_000; other += 1) buckets.take(`more ${other}`, 1, at);
    expect(buckets.size).toBe(100);
  });

  it('is one of ten thousand, unless told otherwise', () => {
    const buckets = new RateBuckets({ perMinute: 1, burst: 1 });
    for (let key = 0; key < 10_000; key += 1) buckets.take(`${key}`, 1, at);
    expect(buckets.take('0', 1, at).isTaken).toBe(false);
    buckets.take('one more', 1, at);
    expect(buckets.size).toBe(10_000);
    expect(buckets.take('1', 1, at).isTaken).toBe(true);
  });
});

describe('a caller', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
  });
  afterAll(() => app.stop());

  const caller = () => newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
  const viewer = '{ viewer { username } }';
  /** The cost is 41 in total, and everything is found. */
  const dear = `{ ${Array.from({ length: 41 }, (_, index) => `v${index}: viewer { id }`).join(' ')} }`;
  const ask = (authorization: string | null, query = viewer) => app.ask(query, {}, authorization);

  it('gets the remaining budget with each answer, and the time when it can ask again', async () => {
    const authorization = await caller();
    const left = async (query?: string) => {
      const { headers } = await ask(authorization, query);
      return ['limit', 'remaining'].map((name) => Number(headers.get(`ratelimit-${name}`)));
    };
    expect(await left()).toEqual([100, 99]);
    expect(await left(dear)).toEqual([100, 58]);
    // Refused documents cost something too.
    expect(await left('{ nothing }')).toEqual([100, 57]);
    expect(await left('{')).toEqual([100, 56]);
    expect(await left(dear)).toEqual([100, 15]);
    const refused = await ask(authorization, dear);
    expect(refused.status).toBe(429);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(refused.data).toBeUndefined();
    // 40 are needed in addition to the 1 for the document, and 14 are left.
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(25 * 60);
    expect(wait).toBeLessThanOrEqual(26 * 60);
    expect(refused.errors?.[0]?.extensions).toMatchObject({ retryAfterSeconds: wait });
    expect(Number(refused.headers.get('ratelimit-reset'))).toBeGreaterThan(80 * 60);
    // A cheaper operation is still accepted.
    expect((await ask(authorization)).status).toBe(200);
  });

  it('pays for the actual cost, not for the requested cost', async () => {
    const authorization = await caller();
    const page = '{ projects(first: 90) { edges { node { id } } } }';
    for (let left = 99; left > 90; left -= 1)
      expect((await ask(authorization, page)).headers.get('ratelimit-remaining')).toBe(String(left));
    await ask(authorization, dear);
    // The whole cost must be available first, because nobody knows yet how many objects will be found.
    expect((await ask(authorization, page)).status).toBe(429);
  });

  it('has the same bucket over HTTP, Server-Sent Events, WebSocket and in batches', async () => {
    const authorization = await caller();
    await ask(authorization, dear);
    await overWebSocket(app, dear, {}, authorization);
    const overSocket = await overWebSocket(app, dear, {}, authorization);
    expect(overSocket.errors).toEqual([
      {
        message: expect.any(String),
        extensions: { code: 'RESOURCE_EXHAUSTED', retryAfterSeconds: expect.any(Number) },
      },
    ]);
    const { value } = await overSse(app, dear, {}, authorization).next();
    expect(value.errors[0].extensions.code).toBe('RESOURCE_EXHAUSTED');
    const batch = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify(Array.from({ length: 3 }, () => ({ query: dear }))),
    });
    expect(batch.status).toBe(429);
    expect(batch.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(((await batch.json()) as Answer).errors[0].extensions.code).toBe('RESOURCE_EXHAUSTED');
  });

  it('pays for a batch once, as much as for its single operations', async () => {
    const authorization = await caller();
    const batch = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify([{ query: dear }, { query: viewer }, { query: '{ nothing }' }]),
    });
    expect(batch.headers.get('ratelimit-remaining')).toBe(String(100 - 43));
  });

  it('pays for the length of each text of a batch, before the texts are parsed', async () => {
    const authorization = await caller();
    const post = (queries: readonly string[]) =>
      fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify(queries.map((query) => ({ query }))),
      });
    const long = viewer.padEnd(3000);
    // Each text costs 25, and each operation 1.
    const batch = await post([long, `${long}#`, '{ viewer { id } }']);
    expect(batch.headers.get('ratelimit-remaining')).toBe(String(100 - 50 - 3));
    const refused = await post(['{'.padEnd(3000), '{'.padEnd(3000)]);
    expect([refused.status, refused.headers.get('ratelimit-remaining')]).toEqual([429, '47']);
  });

  it('is not limited by other callers, and gets no more than the burst for many calls at once', async () => {
    const [one, other] = [await caller(), await caller()];
    const answers = await Promise.all(Array.from({ length: 120 }, () => ask(one)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
    expect((await ask(other)).status).toBe(200);
  });

  /** How many of these calls are answered. */
  const answeredOf = async (count: number, authorization: string) => {
    const answers = await Promise.all(Array.from({ length: count }, () => ask(authorization)));
    return answers.filter(({ status }) => status === 200).length;
  };

  it('has one bucket for all its access keys, of which one key cannot take everything', async () => {
    const user = await newUser();
    const [flood, other, third] = [
      user.authorization,
      (await newKey(user)).authorization,
      (await newKey(user)).authorization,
    ];
    // Tokens share the bucket of their key. The sign-in for one costs 10.
    const token = await tokenOf(app, flood);
    expect(await answeredOf(10, token)).toBe(10);
    expect(await answeredOf(110, flood)).toBe(80);
    expect(await answeredOf(40, other)).toBe(33);
    const { status, headers } = await ask(third);
    expect(status).toBe(429);
    // The next of 133 comes back in 45 s.
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(45);
    expect(headers.get('ratelimit-remaining')).toBe('0');
    // The refused call has not used the bucket of its own key.
    const before = Number((await ask(other)).headers.get('ratelimit-reset'));
    expect(before).toBeGreaterThan(30 * 60);
  });

  it('has a bucket for each program, and one for all sign-ins without key and program', () => {
    const userId = newId();
    const sign = (how: Partial<Caller>) =>
      new Meter({ ...systemCaller(newId(), userId), role: 'USER', method: 'TOKEN', ...how }, null);
    const remaining = (meter: Meter, cost: number) => {
      meter.take(cost);
      return meter.headers['ratelimit-remaining'];
    };
    expect(remaining(sign({ clientId: 'one' }), 90)).toBe('10');
    expect(() => sign({ clientId: 'one' }).take(11)).toThrow('too many requests');
    expect(remaining(sign({ clientId: 'other' }), 5)).toBe('38');
    expect(remaining(sign({ method: 'PASSWORD' }), 3)).toBe('35');
    expect(remaining(sign({ sessionId: newId() }), 30)).toBe('5');
    expect(() => sign({ credentialId: newId() }).take(6)).toThrow('too many requests');
  });

  it('does not use the bucket of its key when the bucket of the user is empty', () => {
    const userId = newId();
    const program = (clientId: string) =>
      new Meter({ ...systemCaller(newId(), userId), role: 'USER', method: 'TOKEN', clientId }, null);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      program('one').take(100);
      program('other').take(33);
      expect(() => program('other').take(60)).toThrow('too many requests');
      // In this time, the bucket of the user gets 80, and that of the program gets 60 to the 67 that it still has.
      vi.setSystemTime(Date.now() + 60 * 60_000);
      expect(() => program('other').take(80)).not.toThrow();
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves something to its other keys also when one operation costs more than a full bucket', () => {
    const userId = newId();
    const key = (credentialId: string) =>
      new Meter({ ...systemCaller(newId(), userId), role: 'USER', method: 'ACCESS_KEY', credentialId }, null);
    const dear = key('one');
    dear.take(1);
    dear.take(80);
    dear.giveBack(81);
    dear.take(500);
    expect(dear.headers).toMatchObject({ 'ratelimit-remaining': '0', 'ratelimit-reset': String(500 * 60) });
    const other = key('other');
    other.take(33);
    expect(() => other.take(1)).toThrow('too many requests');
    // What the operation has not used comes back to the user only as far as the user has paid for it.
    dear.giveBack(390);
    expect(() => other.take(1)).toThrow('too many requests');
    dear.giveBack(30);
    other.take(20);
    expect(() => other.take(1)).toThrow('too many requests');
  });

  it('shares the bucket of its address without a sign-in', async () => {
    const answers = await Promise.all(Array.from({ length: 110 }, () => ask(null)));
    const codes = answers.map(({ errors }) => errors?.[0]?.extensions.code);
    expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(100);
    expect(codes.filter((code) => code === 'RESOURCE_EXHAUSTED')).toHaveLength(10);
    expect((await overWebSocket(app, viewer, {}, null)).errors[0].extensions.code).toBe('RESOURCE_EXHAUSTED');
    expect((await ask(await caller())).status).toBe(200);
  });

  it('has no limit when it is an executor, which would lose its leases', async () => {
    for (let call = 0; call < 30; call += 1) {
      const { status, headers } = await ask(
        app.executor,
        'mutation { renewLeases(input: { executor: "local", runs: [] }) { __typename } }',
      );
      expect([status, headers.get('ratelimit-limit')]).toEqual([200, null]);
    }
  });

  it('lets pages of listed origins read the remaining budget', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://console.example' },
      body: JSON.stringify({ query: viewer }),
    });
    const exposed = response.headers.get('access-control-expose-headers') ?? '';
    for (const name of ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after'])
      expect(exposed).toContain(name);
  });
});

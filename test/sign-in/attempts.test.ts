import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnauthenticatedError, UnavailableError } from '../../src/platform/errors.ts';
import {
  AttemptCounts,
  limitedAttempt,
  networkOf,
  TooManyAttemptsError,
} from '../../src/sign-in/attempts.ts';
import { eventually } from '../support/waiting.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const limited = <T>(username: string, address: string | null, check: () => Promise<T>) =>
  limitedAttempt({ username, address }, check, (answer) => answer === true);
const wrong = () => Promise.resolve(false);
const right = () => Promise.resolve(true);

/** How many of the answers are refusals without a check. */
const refusals = (answers: readonly PromiseSettledResult<unknown>[]) =>
  answers.filter((one) => one.status === 'rejected' && one.reason instanceof TooManyAttemptsError).length;

describe('limitedAttempt', () => {
  it('lets ten attempts on an account fail within five minutes, in any spelling, and then says when to try again', async () => {
    for (let at = 0; at < 10; at += 1) {
      expect(await limited(at % 2 ? 'Ada' : 'ada', null, wrong)).toBe(false);
      vi.advanceTimersByTime(10_000);
    }
    const check = vi.fn(right);
    const refused = limited('ADA', null, check);
    // The oldest failure was 100 s ago.
    await expect(refused).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterSeconds: 200 });
    expect(check).not.toHaveBeenCalled();
    // Whole seconds, rounded up.
    vi.advanceTimersByTime(999);
    await expect(limited('ADA', null, check)).rejects.toMatchObject({ retryAfterSeconds: 200 });
    vi.advanceTimersByTime(199_000);
    await expect(limited('ADA', null, check)).rejects.toMatchObject({ retryAfterSeconds: 1 });
    vi.advanceTimersByTime(1);
    expect(await limited('ada', null, right)).toBe(true);
  });

  it('counts attempts that throw UnauthenticatedError, and no other errors', async () => {
    const throwing = (error: Error) => () => Promise.reject(error);
    for (let at = 0; at < 20; at += 1)
      await expect(limited('thrown', null, throwing(new UnavailableError()))).rejects.toThrow(
        UnavailableError,
      );
    for (let at = 0; at < 10; at += 1)
      await expect(limited('thrown', null, throwing(new UnauthenticatedError()))).rejects.toThrow('sign in');
    await expect(limited('thrown', null, right)).rejects.toThrow(TooManyAttemptsError);
  });

  it('does not reset the count after a right password', async () => {
    for (let at = 0; at < 9; at += 1) await limited('bob', null, wrong);
    expect(await limited('bob', null, right)).toBe(true);
    await limited('bob', null, wrong);
    await expect(limited('bob', null, right)).rejects.toThrow(TooManyAttemptsError);
  });

  it('counts the failures of one address over all accounts, and lets others through', async () => {
    const from = (address: string) => (at: number) => limited(`user ${at}`, address, wrong);
    for (let at = 0; at < 100; at += 1) await from('192.0.2.1')(at);
    await expect(from('192.0.2.1')(200)).rejects.toThrow(TooManyAttemptsError);
    expect(await from('192.0.2.2')(200)).toBe(false);
  });

  it('counts the addresses of one IPv6 network together', async () => {
    for (let at = 0; at < 10; at += 1) await limited('six', `2001:db8:1:2::${at}`, wrong);
    await expect(limited('six', '2001:db8:1:2::ffff', right)).rejects.toThrow(TooManyAttemptsError);
    expect(await limited('six', '2001:db8:1:3::1', right)).toBe(true);
  });

  it('locks an account for the network of the failures, then for all networks except those where its user signed in before', async () => {
    const from = (network: number) => `198.51.${network}.1`;
    expect(await limited('ada-of-home', from(200), right)).toBe(true);
    for (let at = 0; at < 10; at += 1) await limited('ada-of-home', from(1), wrong);
    await expect(limited('ada-of-home', from(1), right)).rejects.toThrow(TooManyAttemptsError);
    expect(await limited('ada-of-home', from(2), right)).toBe(true);
    // Ten networks with ten guesses each: the limit of the account.
    for (let network = 3; network < 12; network += 1)
      for (let at = 0; at < 10; at += 1) await limited('ada-of-home', from(network), wrong);
    await expect(limited('ada-of-home', from(100), right)).rejects.toThrow(TooManyAttemptsError);
    for (const network of [200, 2]) expect(await limited('ada-of-home', from(network), right)).toBe(true);
    // From there, guesses are still counted separately.
    for (let at = 0; at < 10; at += 1) await limited('ada-of-home', from(2), wrong);
    await expect(limited('ada-of-home', from(2), right)).rejects.toThrow(TooManyAttemptsError);
  });

  it('checks at most ten attempts of one network at the same time', async () => {
    const ended: (() => void)[] = [];
    const check = () => new Promise<boolean>((resolve) => ended.push(() => resolve(false)));
    const all = Array.from({ length: 30 }, (_, at) => limited(`many ${at}`, '203.0.113.7', check));
    const other = limited('another', '203.0.113.8', check);
    await eventually(
      () => ended.length,
      (count) => count === 11,
    );
    const settled = Promise.all([...all, other]);
    while (ended.length > 0) {
      for (const end of ended.splice(0)) end();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(await settled).toEqual(Array(31).fill(false));
  });

  it('allows as many concurrent attempts as sequential ones, and refuses no right password among them', async () => {
    vi.useRealTimers();
    let checks = 0;
    const slowly = (answer: boolean) => async () => {
      checks += 1;
      await new Promise(setImmediate);
      return answer;
    };
    const flood = (account: string, answer: boolean) =>
      Promise.allSettled(Array.from({ length: 60 }, () => limited(account, null, slowly(answer))));
    expect(refusals(await flood('flooded', false))).toBe(50);
    expect(checks).toBe(10);
    expect(refusals(await flood('busy', true))).toBe(0);
    expect(checks).toBe(70);
  });
});

describe('AttemptCounts', () => {
  it('stores no successful attempts, and forgets expired ones', async () => {
    const counts = new AttemptCounts(3, 60);
    for (const name of ['a', 'b', 'c']) (await counts.begin(name))(name !== 'a');
    expect(counts.size).toBe(2);
    vi.advanceTimersByTime(60_000);
    (await counts.begin('d'))(true);
    expect(counts.size).toBe(1);
  });

  it('lets an attempt begin only when its failure would not be one too many', async () => {
    const counts = new AttemptCounts(3, 60);
    for (let at = 0; at < 2; at += 1) (await counts.begin('a'))(true);
    const end = await counts.begin('a');
    const next = counts.begin('a');
    end(true);
    await expect(next).rejects.toThrow(TooManyAttemptsError);
  });

  it('lets a hundred attempts on one name wait, and refuses more', async () => {
    const counts = new AttemptCounts(1000, 60, 1);
    const ends = [await counts.begin('a')];
    const waiting = Array.from({ length: 100 }, () => counts.begin('a').then((end) => ends.push(end)));
    await expect(counts.begin('a')).rejects.toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', message: 'too many sign-ins at once, try again' },
    });
    for (let at = 0; at <= 100; at += 1) {
      ends.shift()?.(false);
      await vi.advanceTimersByTimeAsync(0);
    }
    await Promise.all(waiting);
    expect([ends.length, counts.size]).toEqual([0, 0]);
  });

  /** Whether an attempt on the name has to wait. */
  const waits = async (counts: AttemptCounts, name: string) => {
    let hasBegun = false;
    void counts.begin(name).then(() => {
      hasBegun = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    return !hasBegun;
  };

  it('remembers running attempts when another one succeeds', async () => {
    const counts = new AttemptCounts(2, 60);
    const [end] = [await counts.begin('a'), await counts.begin('a')];
    end(false);
    expect([await waits(counts, 'a'), await waits(counts, 'a')]).toEqual([false, true]);
  });

  it('remembers waiting attempts when the running one succeeds', async () => {
    const counts = new AttemptCounts(1, 60);
    const end = await counts.begin('a');
    const next = counts.begin('a');
    end(false);
    await next;
    expect(await waits(counts, 'a')).toBe(true);
  });

  it('does not forget a name with an expired failure while an attempt on it runs', async () => {
    const counts = new AttemptCounts(1, 60);
    (await counts.begin('a'))(true);
    vi.advanceTimersByTime(60_000);
    await counts.begin('a');
    (await counts.begin('b'))(true);
    vi.advanceTimersByTime(60_000);
    (await counts.begin('c'))(true);
    expect(await waits(counts, 'a')).toBe(true);
  });

  it('has a limited size, and forgets the oldest failures first', async () => {
    const counts = new AttemptCounts(1, 60);
    (await counts.begin('first'))(true);
    for (let at = 0; at < 50_000; at += 1) (await counts.begin(`name ${at}`))(true);
    expect(counts.size).toBe(50_000);
    await expect(counts.begin('name 49999')).rejects.toThrow(TooManyAttemptsError);
    (await counts.begin('first'))(false);
  });
});

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['1::3:4:5:6:7', '1:0:0:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

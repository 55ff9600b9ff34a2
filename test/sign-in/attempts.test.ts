import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnauthenticatedError, UnavailableError } from '../../src/platform/errors.ts';
import {
  AttemptCounts,
  limitedAttempt,
  networkOf,
  TooManyAttemptsError,
} from '../../src/sign-in/attempts.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const wrong = () => Promise.resolve(false);
const right = () => Promise.resolve(true);

/** How many of the answers are refusals to check at all. */
const refusals = (answers: readonly PromiseSettledResult<unknown>[]) =>
  answers.filter((one) => one.status === 'rejected' && one.reason instanceof TooManyAttemptsError).length;

describe('limitedAttempt', () => {
  it('lets ten attempts of an account fail in five minutes, however it is spelled, and then says when to come back', async () => {
    for (let at = 0; at < 10; at += 1) {
      expect(await limitedAttempt({ account: at % 2 ? 'Ada' : 'ada', address: null }, wrong)).toBe(false);
      vi.advanceTimersByTime(10_000);
    }
    const check = vi.fn(right);
    const refused = limitedAttempt({ account: 'ADA', address: null }, check);
    // The oldest failure was 100 s ago.
    await expect(refused).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterSeconds: 200 });
    expect(check).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200_000);
    expect(await limitedAttempt({ account: 'ada', address: null }, right)).toBe(true);
  });

  it('counts what throws UnauthenticatedError, and no failure of ours', async () => {
    const attempt = { account: 'thrown', address: null };
    const throwing = (error: Error) => () => Promise.reject(error);
    for (let at = 0; at < 20; at += 1)
      await expect(limitedAttempt(attempt, throwing(new UnavailableError()))).rejects.toThrow(
        UnavailableError,
      );
    for (let at = 0; at < 10; at += 1)
      await expect(limitedAttempt(attempt, throwing(new UnauthenticatedError()))).rejects.toThrow('sign in');
    await expect(limitedAttempt(attempt, right)).rejects.toThrow(TooManyAttemptsError);
  });

  it('is not reset by a right password', async () => {
    const attempt = { account: 'bob', address: null };
    for (let at = 0; at < 9; at += 1) await limitedAttempt(attempt, wrong);
    expect(await limitedAttempt(attempt, right)).toBe(true);
    await limitedAttempt(attempt, wrong);
    await expect(limitedAttempt(attempt, right)).rejects.toThrow(TooManyAttemptsError);
  });

  it('counts the failures of one address over all accounts, and lets others through', async () => {
    const from = (address: string) => (at: number) =>
      limitedAttempt({ account: `user ${at}`, address }, wrong);
    for (let at = 0; at < 100; at += 1) await from('192.0.2.1')(at);
    await expect(from('192.0.2.1')(200)).rejects.toThrow(TooManyAttemptsError);
    expect(await from('192.0.2.2')(200)).toBe(false);
  });

  it('lets no more be tried at once than in a row, and refuses no right one for coming at once', async () => {
    vi.useRealTimers();
    let checks = 0;
    const slowly = (answer: boolean) => async () => {
      checks += 1;
      await new Promise(setImmediate);
      return answer;
    };
    const flood = (account: string, answer: boolean) =>
      Promise.allSettled(
        Array.from({ length: 60 }, () => limitedAttempt({ account, address: null }, slowly(answer))),
      );
    expect(refusals(await flood('flooded', false))).toBe(50);
    expect(checks).toBe(10);
    expect(refusals(await flood('busy', true))).toBe(0);
    expect(checks).toBe(70);
  });
});

describe('AttemptCounts', () => {
  it('keeps nothing of what went well, and forgets what is over', async () => {
    const counts = new AttemptCounts(3, 60);
    for (const name of ['a', 'b', 'c']) (await counts.begin(name))(name !== 'a');
    expect(counts.size).toBe(2);
    vi.advanceTimersByTime(60_000);
    (await counts.begin('d'))(true);
    expect(counts.size).toBe(1);
  });

  it('is bounded, and forgets the oldest failures first', async () => {
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
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

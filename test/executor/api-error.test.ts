import { describe, expect, it, vi } from 'vitest';
import { ApiError, errorOfResponse, unanswered } from '../../src/executor/host/api-error.ts';
import { BackOff, retrying } from '../../src/executor/host/retry.ts';
import { RunError, systemErrorCode } from '../../src/executor/host/run-error.ts';
import { stopClocks } from '../support/clock.ts';

const signal = new AbortController().signal;
const answer = (status: number, headers: Record<string, string> = {}) => ({
  status,
  headers: new Headers(headers),
});

describe('the error of an answer', () => {
  it.each([
    [400, 'INVALID_ARGUMENT', false],
    [401, 'UNAUTHENTICATED', true],
    [402, 'INVALID_ARGUMENT', false],
    [403, 'PERMISSION_DENIED', false],
    [404, 'NOT_FOUND', false],
    [405, 'INVALID_ARGUMENT', false],
    [408, 'UNAVAILABLE', true],
    [409, 'INVALID_ARGUMENT', false],
    [413, 'RESOURCE_EXHAUSTED', false],
    [414, 'INVALID_ARGUMENT', false],
    [429, 'RESOURCE_EXHAUSTED', true],
    [430, 'INVALID_ARGUMENT', false],
    [499, 'INVALID_ARGUMENT', false],
    [500, 'UNAVAILABLE', true],
    [502, 'UNAVAILABLE', true],
  ] as const)('with status %i and no code of ours is %s', (status, code, mayPass) => {
    expect(errorOfResponse(answer(status))).toMatchObject({ code, mayPass, message: `HTTP ${status}` });
  });

  it('has the code and the message of the server where it has them', () => {
    const told = { code: 'ABORTED', message: 'once more' } as const;
    expect(errorOfResponse(answer(500), told)).toMatchObject({ ...told, mayPass: true });
    expect(errorOfResponse(answer(413), told)).toMatchObject({ ...told, mayPass: false });
  });

  it.each([
    ['7', 7000],
    ['0', null],
    ['300', 300_000],
    ['301', 300_000],
    ['Sun, 22 Nov 2026 08:30:05 GMT', 5000],
    ['Sun, 22 Nov 2026 08:29:59 GMT', null],
    ['soon', null],
  ])('with retry-after %s asks to wait for %j ms', (header, milliseconds) => {
    stopClocks('Date');
    vi.setSystemTime('2026-11-22T08:30:00Z');
    expect(errorOfResponse(answer(503, { 'retry-after': header })).retryAfterMs).toBe(milliseconds);
  });
});

describe('the error of a call without an answer', () => {
  it('says whether the time was over or the network failed, and leaves other errors as they are', () => {
    const late = new DOMException('late', 'TimeoutError');
    expect(unanswered(late, signal)).toMatchObject({ code: 'DEADLINE_EXCEEDED', mayPass: true });
    expect(unanswered(new TypeError('fetch failed'), signal)).toMatchObject({ code: 'UNAVAILABLE' });
    for (const other of [new Error('a fault of ours'), 'text', { name: 'TimeoutError' }])
      expect(unanswered(other, signal)).toBe(other);
    expect(unanswered(late, AbortSignal.abort())).toBe(late);
  });
});

describe('the pauses between tries', () => {
  /** The pauses after these errors, if chance shortens them as little as possible, or as much. */
  async function pausesAfter(errors: unknown[], chance: 0 | 1 = 1): Promise<number[]> {
    const pauses: number[] = [];
    const { random } = Math;
    Math.random = () => chance;
    try {
      const backOff = new BackOff(async (milliseconds) => pauses.push(milliseconds));
      for (const error of errors) await backOff.pause(signal, error);
    } finally {
      Math.random = random;
    }
    return pauses;
  }
  const away = new ApiError('UNAVAILABLE', 'away');

  it('double from 0.1 to 2 seconds, and are shortened by half at most', async () => {
    const pauses = await pausesAfter(Array(7).fill(away));
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
    expect(await pausesAfter(Array(7).fill(away), 0)).toEqual(pauses.map((pause) => pause / 2));
  });

  it('are longer if the server asks for it, unless it has refused the call for good', async () => {
    const [plain = 0] = await pausesAfter([away]);
    const options = { retryAfterMs: 7000 };
    expect(await pausesAfter([new ApiError('UNAVAILABLE', 'away', options)])).toEqual([7000 + plain]);
    expect(await pausesAfter([new ApiError('NOT_FOUND', 'none', options)])).toEqual([plain]);
    expect(await pausesAfter([new Error('a fault of ours')])).toEqual([plain]);
  });

  it('do not begin after the caller has given up', async () => {
    const call = () => Promise.reject(away);
    await expect(retrying(AbortSignal.abort(), call)).rejects.toBe(away);
  });
});

describe('systemErrorCode', () => {
  it('is the code of a failed system call only', () => {
    const failed = (more: object) => Object.assign(new Error('failed'), more);
    expect(systemErrorCode(failed({ syscall: 'open', code: 'ENOENT' }))).toBe('ENOENT');
    for (const other of [
      failed({ code: 'ERR_INVALID_ARG_TYPE' }),
      failed({ syscall: 'open' }),
      failed({ syscall: 'open', code: 2 }),
      { syscall: 'open', code: 'ENOENT' },
      new RunError('USER', 'NonZeroExit', 'failed'),
      null,
    ])
      expect(systemErrorCode(other)).toBeNull();
  });
});

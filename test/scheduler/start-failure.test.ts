import { describe, expect, it } from 'vitest';
import { FailedPreconditionError } from '../../src/platform/errors.ts';
import { retrySecondsAfter, startFailureOf } from '../../src/scheduler/start-failure.ts';

describe('the failure of a schedule or trigger', () => {
  it('has the code and the message of a refusal, which is cut to 1000 characters', () => {
    const refusal = (length: number) => startFailureOf(new FailedPreconditionError('x'.repeat(length)));
    expect(refusal(1000)).toEqual({ code: 'FAILED_PRECONDITION', message: 'x'.repeat(1000) });
    expect(refusal(1001)).toEqual(refusal(1000));
  });

  it('tells nothing about a fault of the server', () => {
    expect(startFailureOf(new Error('no such column'))).toEqual({
      ...{ code: 'INTERNAL', message: 'the server failed to create the execution' },
    });
  });

  it.each([
    [0, 1],
    [1, 2],
    [5, 32],
    [6, 60],
    [40, 60],
  ])('after %i attempts is followed by the next one in %i seconds', (attempts, seconds) => {
    expect(retrySecondsAfter(attempts)).toBe(seconds);
  });
});

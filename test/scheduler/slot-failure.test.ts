import { describe, expect, it } from 'vitest';
import { FailedPreconditionError } from '../../src/platform/errors.ts';
import { slotFailureOf } from '../../src/scheduler/slot-failure.ts';

describe('the failure of a slot', () => {
  it('has the code and the message of a refusal, which is cut to 1000 characters', () => {
    const refusal = (length: number) => slotFailureOf(new FailedPreconditionError('x'.repeat(length)));
    expect(refusal(1000)).toEqual({ code: 'FAILED_PRECONDITION', message: 'x'.repeat(1000) });
    expect(refusal(1001)).toEqual(refusal(1000));
  });

  it('tells nothing about a fault of the server', () => {
    expect(slotFailureOf(new Error('no such column'))).toEqual({
      ...{ code: 'INTERNAL', message: 'the server failed to create the execution' },
    });
  });
});

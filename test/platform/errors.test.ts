import { describe, expect, it } from 'vitest';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  requireChanges,
} from '../../src/platform/errors.ts';

const problem = (name: string) => ({
  path: ['input', name],
  code: 'InvalidValue',
  message: `${name} is wrong`,
});

describe('an error of the input', () => {
  it.each([
    [['a'], 'a is wrong'],
    [['a', 'b'], 'a is wrong (and 1 more)'],
    [['a', 'b', 'c'], 'a is wrong (and 2 more)'],
  ])('says its first problem, and how many more there are: %j', (names, message) => {
    const error = new InvalidArgumentError(names.map(problem));
    expect(error).toMatchObject({ message, inputPath: ['input', 'a'], problems: names.map(problem) });
  });

  it('keeps the first 1000 problems, and counts all', () => {
    const names = Array.from({ length: 1200 }, (_, at) => `field${at}`);
    const { message, problems } = new InvalidArgumentError(names.map(problem));
    expect(message).toBe('field0 is wrong (and 1199 more)');
    expect(problems).toEqual(names.slice(0, 1000).map(problem));
  });

  it('is the same for all updates without changes', () => {
    requireChanges(true);
    expect(() => requireChanges(false)).toThrow('no changes given');
  });
});

describe('an error of the state', () => {
  it('has the details that are given, and null for the others', () => {
    expect(new AlreadyExistsError('exists')).toMatchObject({ existingId: null, inputPath: [] });
    expect(new AlreadyExistsError('exists', { existingId: 'x', path: ['input'] })).toMatchObject({
      ...{ existingId: 'x', inputPath: ['input'] },
    });
    expect(new FailedPreconditionError('no')).toMatchObject({
      ...{ current: null, reason: null, cluster: null, inputPath: [] },
    });
    const details = { current: 'QUEUED', reason: 'PHASE_NOT_ALLOWED', cluster: 'b' } as const;
    expect(new FailedPreconditionError('no', { ...details, path: ['input'] })).toMatchObject({
      ...details,
      inputPath: ['input'],
    });
  });
});

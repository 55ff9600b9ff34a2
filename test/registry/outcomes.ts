import { expect } from 'vitest';
import { InvalidArgumentError, type Problem } from '../../src/platform/errors.ts';
import { type Outcome, outcomeOf } from '../../src/values/problem-list.ts';
import type { Reader } from '../../src/values/readers.ts';

/** The result of a reader for an input. */
export const readBy = <T>(reader: Reader<T>, input: unknown, path: readonly string[] = []): Outcome<T> =>
  outcomeOf(path, (place) => reader(input, place));

export function valueIn<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.problems));
  return outcome.value;
}

/** `CODE path.to.it` for each problem. */
export function faultsOf(outcome: Outcome<unknown>): string[] {
  expect(outcome.ok).toBe(false);
  return outcome.ok ? [] : outcome.problems.map(({ code, path }) => `${code} ${path.join('.')}`);
}

export const faultsThrown = (act: () => unknown): string[] =>
  problemsThrown(act).map(({ code, path }) => `${code} ${path.join('.')}`);

export const messagesThrown = (act: () => unknown): string[] =>
  problemsThrown(act).map(({ message }) => message);

function problemsThrown(act: () => unknown): readonly Problem[] {
  try {
    act();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return error.problems;
  }
  throw new Error('expected an InvalidArgumentError');
}

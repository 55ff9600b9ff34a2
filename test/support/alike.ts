import { expect } from 'vitest';
import { statementsOf } from './statements.ts';

/**
 * Asks about one name and about another, and expects the same answer, word for word but for the name, after the same
 * statements.
 *
 * @returns the answer to the first.
 */
export async function askAlike<T>(
  ask: (name: string) => Promise<T>,
  [one, other]: readonly [string, string],
): Promise<T> {
  // What the first question of a caller costs more, such as the sign-in, is not compared.
  await ask(one);
  const first = await statementsOf(() => ask(one));
  const second = await statementsOf(() => ask(other));
  const plain = (answer: T) => JSON.stringify(answer).replaceAll(one, 'X').replaceAll(other, 'X');
  expect(plain(second.result)).toBe(plain(first.result));
  // Loaders of one answer run side by side: which of them asks first is chance.
  expect(second.statements.toSorted()).toEqual(first.statements.toSorted());
  return first.result;
}

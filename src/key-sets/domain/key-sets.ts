import type { JsonWebKeyState } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';
import { isStorable } from '../../platform/text.ts';
import { algorithmNames, algorithmOf, type KeyUse } from './algorithms.ts';

/**
 * The life of a key.
 *
 *     NEXT ──▶ CURRENT ──▶ RETIRED
 *
 * A key is published while it is NEXT, so everybody who verifies has it before it signs. The CURRENT key of its use and
 * algorithm signs. A RETIRED key still verifies, until it is deleted.
 */

/** Names with this beginning are for the server's own sets. */
const OWN_PREFIX = 'slipway.';
const MAX_TEXT = 255;
/**
 * A key of the server's own sets is published for so long before it may sign. The servers know a new key within a
 * second.
 */
export const PUBLISHED_SECONDS = 10;
/** The largest number of keys in a set. */
export const MAX_KEYS = 100;

/** Whether the server keeps a set itself. Nobody can give it keys or read its private parts. */
export const isOwnSet = (name: string): boolean => name.startsWith(OWN_PREFIX);

export interface NewKey {
  readonly set: string;
  readonly alg: string;
  readonly use: KeyUse;
  /** Null: the server chooses one. */
  readonly kid: string | null;
}

const fault = (field: string, message: string): Problem => ({
  path: ['input', field],
  code: 'InvalidValue',
  message,
});

/** Why a text cannot be the name of a set or a `kid`; null if it can. */
export const textFault = (text: string): string | null =>
  text.length >= 1 && text.length <= MAX_TEXT && isStorable(text) && !/\p{Cc}/u.test(text)
    ? null
    : `must have 1 to ${MAX_TEXT} characters, none of them a control character`;

/** All problems of the name of any set. */
export function anySetNameProblems(name: string): Problem[] {
  const problem = textFault(name);
  return problem ? [fault('set', problem)] : [];
}

/** All problems of the name of a set that gets keys from a caller. */
export function setNameProblems(name: string): Problem[] {
  const problems = anySetNameProblems(name);
  if (problems.length > 0) return problems;
  return isOwnSet(name)
    ? [fault('set', `names that begin with ${OWN_PREFIX} are for sets that the server keeps by itself`)]
    : [];
}

/** All problems of a key to create. */
export function newKeyProblems({ set, alg, use, kid }: NewKey): Problem[] {
  const problems = setNameProblems(set);
  if (algorithmOf(alg)?.use !== use)
    problems.push(fault('alg', `must be one of: ${algorithmNames(use).join(', ')}`));
  const kidFault = kid === null ? null : textFault(kid);
  return kidFault ? [...problems, fault('kid', kidFault)] : problems;
}

interface KeyState {
  readonly alg: string;
  readonly use: string;
  readonly state: JsonWebKeyState;
}

const isAlike = (one: Omit<KeyState, 'state'>, other: Omit<KeyState, 'state'>) =>
  one.alg === other.alg && one.use === other.use;

/** The state of a key that is added to a set: it waits if another key of its use and algorithm signs. */
export const stateOfAdded = (
  added: Omit<KeyState, 'state'>,
  keys: readonly KeyState[],
): Exclude<JsonWebKeyState, 'RETIRED'> =>
  keys.some((key) => key.state === 'CURRENT' && isAlike(key, added)) ? 'NEXT' : 'CURRENT';

/** What the promotion of one use and algorithm changes. */
export interface Promotion<Key> {
  readonly promoted: Key;
  readonly retired: Key | null;
}

/**
 * The promotion for a use and algorithm: the key that has been published for longest begins to sign. Null if no key
 * waits.
 *
 * @param keys  newest first.
 */
export function promotionOf<Key extends KeyState>(
  keys: readonly Key[],
  kind: Omit<KeyState, 'state'>,
): Promotion<Key> | null {
  const alike = keys.filter((key) => isAlike(key, kind));
  const promoted = alike.findLast(({ state }) => state === 'NEXT');
  if (!promoted) return null;
  return { promoted, retired: alike.find(({ state }) => state === 'CURRENT') ?? null };
}

/** The uses and algorithms of the keys of a set that are not retired, each once. */
export function kindsOf(keys: readonly KeyState[]): { readonly alg: string; readonly use: KeyUse }[] {
  const kinds = new Map(
    keys
      .filter(({ state }) => state !== 'RETIRED')
      .map(({ alg, use }) => [`${use} ${alg}`, { alg, use: use as KeyUse }] as const),
  );
  return [...kinds.values()];
}

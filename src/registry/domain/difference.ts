import { canonicalJson } from '../../values/canonical-json.ts';
import { entryOf, isRecord } from '../../values/json.ts';

/**
 * One difference between two documents. The values are canonical JSON; null means that the document has no value there.
 */
export interface Difference {
  readonly path: readonly string[];
  readonly oldValue: string | null;
  readonly newValue: string | null;
}

/** What a comparison of two documents found. */
export interface Comparison {
  readonly differences: readonly Difference[];
  /** False if the limit has left something out or cut it. */
  readonly isComplete: boolean;
}

/**
 * The differences between two JSON documents, as deep inside as possible: members in the order of their keys, items of
 * lists by their index.
 *
 * @param limit  the largest number of characters of all paths and values together. The value that exceeds it is cut, and
 * everything after it is left out.
 */
export function differences(before: unknown, after: unknown, limit: number): readonly Difference[] {
  return compare(before, after, limit).differences;
}

/** The same, and whether it is all. */
export function compare(before: unknown, after: unknown, limit: number): Comparison {
  const found: Difference[] = [];
  let left = limit;
  let isComplete = true;
  const take = (text: string): string => {
    const taken = text.slice(0, left);
    left -= taken.length;
    if (taken.length < text.length) isComplete = false;
    return taken;
  };
  for (const { path, before: old, after: next } of placesThatDiffer(before, after, [])) {
    left -= path.join('').length;
    if (left <= 0) {
      isComplete = false;
      break;
    }
    const [oldValue, newValue] = [old, next].map((value) =>
      value === undefined ? null : take(canonicalJson(value)),
    ) as [string | null, string | null];
    found.push({ path, oldValue, newValue });
  }
  return { differences: found, isComplete };
}

interface DifferingPlace {
  readonly path: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

/** A generator, so that nothing is compared after the limit. */
function* placesThatDiffer(
  before: unknown,
  after: unknown,
  path: readonly string[],
): Generator<DifferingPlace> {
  const [old, next] = [membersOf(before), membersOf(after)];
  if (old === undefined || next === undefined || Array.isArray(before) !== Array.isArray(after)) {
    if (textOf(before) !== textOf(after)) yield { path, before, after };
    return;
  }
  for (const key of keysOf(old, next, Array.isArray(before))) {
    yield* placesThatDiffer(entryOf(old, key), entryOf(next, key), [...path, key]);
  }
}

function membersOf(document: unknown): Record<string, unknown> | undefined {
  if (Array.isArray(document)) return Object.fromEntries(document.entries());
  return isRecord(document) ? document : undefined;
}

function keysOf(old: object, next: object, byIndex: boolean): string[] {
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return byIndex ? keys : keys.sort();
}

function textOf(document: unknown): string | undefined {
  return document === undefined ? undefined : canonicalJson(document);
}

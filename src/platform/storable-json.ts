import { isStorable } from './text.ts';

/** How deep lists and objects may be nested. The outermost one is level 1. */
export const MAX_JSON_DEPTH = 64;

export interface JsonFault {
  /** Keys and positions in lists, from outside to inside. */
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Where a value contains something that PostgreSQL cannot store, or is nested deeper than `levels`; null if nowhere.
 */
export function jsonFault(value: unknown, levels = MAX_JSON_DEPTH): JsonFault | null {
  return faultWithin(value, levels, (leaf) =>
    typeof leaf === 'string' && !isStorable(leaf) ? notStorable : null,
  );
}

/** Where a value that JSON.parse returned has a number that may have lost digits; null if nowhere. */
export function roundingFault(value: unknown, levels: number): JsonFault | null {
  return faultWithin(value, levels, (leaf) =>
    Number.isInteger(leaf) && !Number.isSafeInteger(leaf) ? mayBeRounded : null,
  );
}

/** Where a value is nested deeper than `levels`, whatever its texts contain; null if nowhere. */
export function depthFault(value: unknown, levels = MAX_JSON_DEPTH): JsonFault | null {
  return faultWithin(value, levels, () => null);
}

/** Calls itself at most `levels` times, so no value can exhaust the stack. */
function faultWithin(
  value: unknown,
  levels: number,
  leafFault: (leaf: unknown) => JsonFault | null,
): JsonFault | null {
  if (value === null || typeof value !== 'object') return leafFault(value);
  if (levels === 0) return tooDeep;
  // Does not build a list of entries, because a list may have millions of items.
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    const name = String(key);
    const part = (value as Record<string | number, unknown>)[key];
    const fault = leafFault(name) ?? faultWithin(part, levels - 1, leafFault);
    if (fault) return { ...fault, path: [name, ...fault.path] };
  }
  return null;
}

const tooDeep: JsonFault = { path: [], message: 'lists and objects are nested too deep' };
const mayBeRounded: JsonFault = {
  path: [],
  message: 'a whole number above 2^53 may have lost digits; send it as text',
};
const notStorable: JsonFault = {
  path: [],
  message: 'a text contains a NUL character or half of a surrogate pair, which cannot be stored',
};

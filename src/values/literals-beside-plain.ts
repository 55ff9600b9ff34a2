import { canonicalJson } from './canonical-json.ts';
import { entryOf } from './json.ts';
import type { LiteralType, Variable } from './literal-types.ts';
import type { Literal, LiteralMap } from './literals.ts';
import { literalFromPlain, toPlain } from './plain-values.ts';
import { outcomeOf } from './problem-list.ts';

/**
 * The values that their plain form does not say completely: the variant of a union that several variants would accept,
 * the type of a file that is narrower than the declared one, the format of bytes, a hash. They travel as literals beside
 * the plain values; all other values travel as plain values only.
 */
export function literalsBesidePlain(
  variables: Readonly<Record<string, Variable>>,
  values: LiteralMap,
): LiteralMap {
  const lossy = Object.entries(values).filter(([name, value]) => {
    const type = entryOf(variables, name)?.type;
    return type === undefined || !isSaidByPlain(type, value);
  });
  return Object.fromEntries(lossy);
}

/** Whether the plain form of a value is read as the same value again. */
function isSaidByPlain(type: LiteralType, value: Literal): boolean {
  if (isObvious(value)) return true;
  const read = outcomeOf([], (place) => literalFromPlain(type, toPlain(value), place));
  return read.ok && canonicalJson(read.value) === canonicalJson(value);
}

/** Whether there is nothing in the value that could get lost. This is quick, and most values are like this. */
function isObvious(value: Literal): boolean {
  if (value.hash !== undefined || value.metadata !== undefined) return false;
  if ('collection' in value) return value.collection.literals.every(isObvious);
  if ('map' in value) return Object.values(value.map.literals).every(isObvious);
  return 'primitive' in value.scalar;
}

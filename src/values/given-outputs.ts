import { fitLiteral } from './fit-literal.ts';
import { entryOf } from './json.ts';
import type { LiteralType, Variable } from './literal-types.ts';
import type { Literal, LiteralMap } from './literals.ts';
import { literalFromPlain } from './plain-values.ts';
import { type Outcome, outcomeOf, type Place, type Work } from './problem-list.ts';
import { literal } from './read-literals.ts';

/** Outputs by name, as an executor reports them. The literals are only for those that plain values do not say completely. */
export interface GivenOutputs {
  readonly plain: Readonly<Record<string, unknown>>;
  readonly literals: Readonly<Record<string, unknown>>;
}

/**
 * Reads a value for each variable, in the order in which the variables are declared. If there is a literal, it counts
 * and the plain value does not. Other names must have no value.
 *
 * Problems, each with the name in the path: the problems of coerceToLiteral, of the reader of literals and of
 * checkLiteral, and `VariableNameNotFound`.
 */
export function readGivenOutputs(
  variables: Readonly<Record<string, Variable>>,
  given: GivenOutputs,
  work: Work,
): Outcome<LiteralMap> {
  return outcomeOf(
    [],
    (place) => {
      const values = Object.entries(variables).flatMap(([name, { type }]) => {
        const value = readOutput(type, name, given, place.at(name));
        return value === undefined ? [] : [[name, value] as const];
      });
      for (const name of new Set([...Object.keys(given.plain), ...Object.keys(given.literals)])) {
        if (!Object.hasOwn(variables, name))
          place.at(name).report('VariableNameNotFound', 'it is not declared');
      }
      return Object.fromEntries(values);
    },
    work,
  );
}

function readOutput(
  type: LiteralType,
  name: string,
  { plain, literals }: GivenOutputs,
  place: Place,
): Literal | undefined {
  if (!Object.hasOwn(literals, name)) return literalFromPlain(type, entryOf(plain, name), place);
  const read = literal(literals[name], place);
  return read && fitLiteral(type, read, place);
}

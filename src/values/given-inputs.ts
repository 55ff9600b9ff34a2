import { fitLiteral } from './fit-literal.ts';
import { entryOf, isRecord } from './json.ts';
import type { Variable } from './literal-types.ts';
import type { Literal, LiteralMap } from './literals.ts';
import { literalFromPlain } from './plain-values.ts';
import { naming, type Place } from './problem-list.ts';
import { literal } from './read-literals.ts';
import { isAbsent, wrongKind } from './readers.ts';

/** Values by name, as callers send them: plain values, or literals if a plain value would be ambiguous. */
export interface GivenInputs {
  readonly plain: unknown;
  readonly literals: unknown;
}

/** The names of the input fields with the two kinds, for the paths of problems. */
export interface GivenInputFields {
  readonly plain: string;
  readonly literals: string;
}

/**
 * Reads given values with the types of variables. Values and problems have the order in which the variables are
 * declared.
 *
 * Problems, each with the name of the input in its path and message: `VariableNameNotFound`;
 * `ParameterBoundMoreThanOnce` for a name in both forms; the problems of coerceToLiteral, of the reader of literals and
 * of checkLiteral; `InvalidValue` if there is no map of names.
 */
export function readGivenInputs(
  given: GivenInputs,
  fields: GivenInputFields,
  variables: Readonly<Record<string, Variable>>,
  place: Place,
): LiteralMap {
  const plain = readNamedValues(given.plain, place.at(fields.plain));
  const literals = readNamedValues(given.literals, place.at(fields.literals));
  // Declared names come first, in their order, and then unknown names.
  const names = new Set([variables, plain, literals].flatMap((values) => Object.keys(values)));
  const values = [...names].flatMap((name) => {
    const at = { plain: place.at(fields.plain, name), literal: place.at(fields.literals, name) };
    const isPlain = Object.hasOwn(plain, name);
    if (isPlain && Object.hasOwn(literals, name)) {
      at.literal.report(
        'ParameterBoundMoreThanOnce',
        `${name} has both a plain value and a literal; give one of them`,
      );
    }
    return [
      ...(isPlain
        ? readInput(name, variables, at.plain, ({ type }, inner) =>
            literalFromPlain(type, plain[name], inner),
          )
        : []),
      ...(Object.hasOwn(literals, name)
        ? readInput(name, variables, at.literal, ({ type }, inner) => {
            const read = literal(literals[name], inner);
            return read && fitLiteral(type, read, inner);
          })
        : []),
    ];
  });
  return Object.fromEntries(values);
}

/** A map from names to values that were not read yet; empty if there is none. */
export function readNamedValues(given: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (isRecord(given)) return given;
  if (!isAbsent(given)) wrongKind('an object', given, place);
  return {};
}

function readInput(
  name: string,
  variables: Readonly<Record<string, Variable>>,
  place: Place,
  read: (variable: Variable, place: Place) => Literal | undefined,
): [string, Literal][] {
  const variable = entryOf(variables, name);
  if (variable === undefined) {
    place.report('VariableNameNotFound', `there is no input ${name}`);
    return [];
  }
  const value = naming(name, place, (at) => read(variable, at));
  return value === undefined ? [] : [[name, value]];
}

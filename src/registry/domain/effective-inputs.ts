import type { Problem } from '../../platform/errors.ts';
import { readGivenInputs, readNamedValues } from '../../values/given-inputs.ts';
import { mapRecord } from '../../values/json.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { type Outcome, outcomeOf, type Place } from '../../values/problem-list.ts';
import type { LaunchPlanInputs } from './launch-plan.ts';

export interface RequestedInputs {
  /** Plain JSON by name. */
  readonly inputs?: unknown;
  readonly inputLiterals?: unknown;
}

export interface EffectiveInputs {
  /** What the caller gave, for a relaunch. */
  readonly userInputs: LiteralMap;
  /** What the execution runs with. */
  readonly inputs: LiteralMap;
}

/**
 * The inputs of an execution: the launch plan's defaults, overlaid by what the request gives, and the fixed ones. Inputs
 * and problems come in the order in which the workflow declares the inputs.
 *
 * Problems, each naming the input: `MissingField` for a required one that is missing, `InvalidValue` for a fixed one
 * that is given, `VariableNameNotFound` for one that the launch plan does not expect, and those of readGivenInputs,
 * which tell the expected and the actual type.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/execution_validator.go`; that an enum's value must be
 * a member is ours.
 */
export function effectiveInputs(
  { expectedInputs, fixedInputs, inputOrder }: LaunchPlanInputs,
  request: RequestedInputs,
  path: readonly string[] = ['input'],
): Outcome<EffectiveInputs> {
  const outcome = outcomeOf(path, (place) => {
    const open = {
      plain: openValues(request.inputs, fixedInputs, place.at('inputs')),
      literals: openValues(request.inputLiterals, fixedInputs, place.at('inputLiterals')),
    };
    const variables = mapRecord(expectedInputs, (expected) => expected.var);
    const fields = { plain: 'inputs', literals: 'inputLiterals' };
    const userInputs = readGivenInputs(open, fields, variables, place);
    const defaults = Object.entries(expectedInputs).flatMap(([name, expected]) => {
      if ('default' in expected) return [[name, expected.default] as const];
      const isGiven = Object.values(open).some((values) => Object.hasOwn(values, name));
      if (!isGiven) place.at('inputs', name).report('MissingField', `missing input ${name}`);
      return [];
    });
    const inputs = { ...Object.fromEntries(defaults), ...userInputs, ...fixedInputs };
    const rank = rankIn(inputOrder);
    const ordered = Object.entries(inputs).sort(([one], [other]) => rank(one) - rank(other));
    return { userInputs, inputs: Object.fromEntries(ordered) };
  });
  return outcome.ok ? outcome : { ok: false, problems: inDeclaredOrder(outcome.problems, inputOrder, path) };
}

/** Those of a whole form come first, then those of each input, then those of names that are not declared. */
function inDeclaredOrder(
  problems: readonly Problem[],
  inputOrder: readonly string[],
  path: readonly string[],
): Problem[] {
  const rank = rankIn(inputOrder);
  const rankOf = (problem: Problem) => {
    // After the field that holds the values comes the name.
    const name = problem.path[path.length + 1];
    return name === undefined ? -1 : rank(name);
  };
  return [...problems].sort((one, other) => rankOf(one) - rankOf(other));
}

function rankIn(names: readonly string[]): (name: string) => number {
  const ranks = new Map(names.map((name, index) => [name, index]));
  return (name) => ranks.get(name) ?? names.length;
}

/** What the request gives, without the fixed inputs, which are reported. */
function openValues(given: unknown, fixedInputs: LiteralMap, place: Place): Record<string, unknown> {
  const open = Object.entries(readNamedValues(given, place)).filter(([name]) => {
    if (!Object.hasOwn(fixedInputs, name)) return true;
    place.at(name).report('InvalidValue', `${name} is fixed by the launch plan`);
    return false;
  });
  return Object.fromEntries(open);
}

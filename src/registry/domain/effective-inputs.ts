import type { Problem } from '../../platform/errors.ts';
import { readGivenInputs, readNamedValues } from '../../values/given-inputs.ts';
import { mapRecord } from '../../values/json.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { type Outcome, outcomeOf, type Place } from '../../values/problem-list.ts';
import type { LaunchPlanInputs } from './launch-plan.ts';

export interface RequestedInputs {
  /** Plain values by name. */
  readonly inputs?: unknown;
  readonly inputLiterals?: unknown;
}

export interface EffectiveInputs {
  /** The inputs that the caller gave, for a relaunch. */
  readonly userInputs: LiteralMap;
  /** The inputs that the execution runs with. */
  readonly inputs: LiteralMap;
}

/**
 * The inputs of an execution: the defaults of the launch plan, replaced by the inputs of the request, and the fixed
 * inputs. Inputs and problems have the order in which the workflow declares the inputs.
 *
 * Problems, each with the name of the input: `MissingField` for a required input that is missing, `InvalidValue` for a
 * fixed input that is given, `VariableNameNotFound` for an input that the launch plan does not expect, and the problems
 * of `readGivenInputs`, which name the expected and the actual type.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/execution_validator.go`. The check of enum values is our
 * addition.
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

/** Problems of a whole form come first, then the problems of each input, then unknown names. */
function inDeclaredOrder(
  problems: readonly Problem[],
  inputOrder: readonly string[],
  path: readonly string[],
): Problem[] {
  const rank = rankIn(inputOrder);
  const rankOf = (problem: Problem) => {
    // The name comes after the field with the values.
    const name = problem.path[path.length + 1];
    return name === undefined ? -1 : rank(name);
  };
  return [...problems].sort((one, other) => rankOf(one) - rankOf(other));
}

function rankIn(names: readonly string[]): (name: string) => number {
  const ranks = new Map(names.map((name, index) => [name, index]));
  return (name) => ranks.get(name) ?? names.length;
}

/** The inputs of the request without the fixed ones, which are reported. */
function openValues(given: unknown, fixedInputs: LiteralMap, place: Place): Record<string, unknown> {
  const open = Object.entries(readNamedValues(given, place)).filter(([name]) => {
    if (!Object.hasOwn(fixedInputs, name)) return true;
    place.at(name).report('InvalidValue', `the launch plan fixes the value of ${name}`);
    return false;
  });
  return Object.fromEntries(open);
}

import { readGivenInputs } from '../../values/given-inputs.ts';
import { entryOf, isRecord } from '../../values/json.ts';
import type { TypedInterface, Variable } from '../../values/literal-types.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { Place } from '../../values/problem-list.ts';

/** An input that an execution may give: it has a default, or must be given. */
export type ExpectedInput =
  | { readonly var: Variable; readonly default: Literal }
  | { readonly var: Variable; readonly required: true };

export interface LaunchPlanInputs {
  readonly expectedInputs: Readonly<Record<string, ExpectedInput>>;
  /** Never among the expected: no execution can give them. */
  readonly fixedInputs: LiteralMap;
  /** The names of both kinds together, in the order in which the workflow declares them. */
  readonly inputOrder: readonly string[];
}

/** The part of a launch plan's spec that sets inputs. The two forms of a kind may be mixed, name by name. */
export interface LaunchPlanSpec {
  /** Plain JSON by name. */
  readonly defaultInputs?: unknown;
  readonly defaultInputLiterals?: unknown;
  /** Inputs without default that must be given. Those that the spec does not mention are required too. */
  readonly requiredInputs?: readonly string[] | null;
  readonly fixedInputs?: unknown;
  readonly fixedInputLiterals?: unknown;
}

/**
 * Checks default and fixed inputs against the workflow's and answers what executions may or must give.
 *
 * Expected are the defaults, then as required each input of the workflow that has no default and is not fixed, even
 * one of an optional type.
 *
 * @throws InvalidArgumentError with all problems: `VariableNameNotFound` for a name the workflow does not have,
 *   `ParameterBoundMoreThanOnce` for an input that is both fixed and defaulted, where Flyte drops the fixed value, and
 *   for a required one with a default or a fixed value; and those of readGivenInputs.
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/launch_plan_validator.go`.
 */
export function compileLaunchPlan(
  { inputs }: TypedInterface,
  spec: LaunchPlanSpec,
  path: readonly string[] = ['input'],
): LaunchPlanInputs {
  const place = new Place(path);
  const defaults = readGivenInputs(
    { plain: spec.defaultInputs, literals: spec.defaultInputLiterals },
    { plain: 'defaultInputs', literals: 'defaultInputLiterals' },
    inputs,
    place,
  );
  const fixed = readGivenInputs(
    { plain: spec.fixedInputs, literals: spec.fixedInputLiterals },
    { plain: 'fixedInputs', literals: 'fixedInputLiterals' },
    inputs,
    place,
  );
  checkFixedOnly(spec, place);
  checkRequired(spec.requiredInputs ?? [], inputs, { ...fixed, ...defaults }, place.at('requiredInputs'));
  place.problems.throwIfAny();
  return {
    expectedInputs: expectedInputs(inputs, defaults, fixed),
    fixedInputs: fixed,
    inputOrder: Object.keys(inputs),
  };
}

/** A fixed input has no default: no execution could replace it. */
function checkFixedOnly(spec: LaunchPlanSpec, place: Place): void {
  const namesOf = (values: unknown) => (isRecord(values) ? Object.keys(values) : []);
  const defaulted = new Set([spec.defaultInputs, spec.defaultInputLiterals].flatMap(namesOf));
  for (const field of ['fixedInputs', 'fixedInputLiterals'] as const)
    for (const name of namesOf(spec[field]))
      if (defaulted.has(name))
        place
          .at(field, name)
          .report(
            'ParameterBoundMoreThanOnce',
            `${name} has both a default and a fixed value: give one of them`,
          );
}

function expectedInputs(
  workflowInputs: Readonly<Record<string, Variable>>,
  defaults: LiteralMap,
  fixed: LiteralMap,
): Record<string, ExpectedInput> {
  const expected = new Map<string, ExpectedInput>();
  for (const [name, variable] of Object.entries(workflowInputs)) {
    const value = entryOf(defaults, name);
    if (value !== undefined) expected.set(name, { var: variable, default: value });
    else if (!Object.hasOwn(fixed, name)) expected.set(name, { var: variable, required: true });
  }
  return Object.fromEntries(expected);
}

function checkRequired(
  names: readonly string[],
  workflowInputs: Readonly<Record<string, Variable>>,
  settled: LiteralMap,
  place: Place,
): void {
  for (const [index, name] of names.entries()) {
    if (!Object.hasOwn(workflowInputs, name)) {
      place.at(index).report('VariableNameNotFound', `there is no input ${name}`);
    } else if (Object.hasOwn(settled, name)) {
      place.at(index).report('ParameterBoundMoreThanOnce', `${name} is required, yet it has a value`);
    }
  }
}

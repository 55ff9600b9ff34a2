import { readGivenInputs } from '../../values/given-inputs.ts';
import { entryOf } from '../../values/json.ts';
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
 * one of an optional type. An input that is both fixed and defaulted counts as defaulted.
 *
 * @throws InvalidArgumentError with all problems: `VariableNameNotFound` for a name the workflow does not have,
 *   `ParameterBoundMoreThanOnce` for a required input with a default or a fixed value, and those of readGivenInputs.
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
  checkRequired(spec.requiredInputs ?? [], inputs, { ...fixed, ...defaults }, place.at('requiredInputs'));
  place.problems.throwIfAny();
  return {
    expectedInputs: expectedInputs(inputs, defaults, fixed),
    fixedInputs: Object.fromEntries(Object.entries(fixed).filter(([name]) => !Object.hasOwn(defaults, name))),
  };
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

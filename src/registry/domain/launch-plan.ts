import { readGivenInputs } from '../../values/given-inputs.ts';
import { entryOf, isRecord } from '../../values/json.ts';
import type { TypedInterface, Variable } from '../../values/literal-types.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { Place } from '../../values/problem-list.ts';

/** An input that an execution may give: it has a default, or it is required. */
export type ExpectedInput =
  | { readonly var: Variable; readonly default: Literal }
  | { readonly var: Variable; readonly required: true };

export interface LaunchPlanInputs {
  readonly expectedInputs: Readonly<Record<string, ExpectedInput>>;
  /** Fixed inputs are never among the expected ones, because executions cannot give them. */
  readonly fixedInputs: LiteralMap;
  /** The names of the expected and fixed inputs, in the order in which the workflow declares them. */
  readonly inputOrder: readonly string[];
}

/** The part of a launch plan's spec that sets inputs. Some inputs can have plain values and others literals. */
export interface LaunchPlanSpec {
  /** Plain values by name. */
  readonly defaultInputs?: unknown;
  readonly defaultInputLiterals?: unknown;
  /** Inputs without a default that executions must give. Inputs that the spec does not mention are required too. */
  readonly requiredInputs?: readonly string[] | null;
  readonly fixedInputs?: unknown;
  readonly fixedInputLiterals?: unknown;
}

/**
 * Checks default and fixed inputs with the workflow's inputs and returns the inputs that executions may or must give.
 *
 * These are the inputs with a default, and, as required ones, all inputs of the workflow without a default or a fixed
 * value, even if their type is optional.
 *
 * @throws InvalidArgumentError with all problems: `VariableNameNotFound` for a name that the workflow does not have;
 * `ParameterBoundMoreThanOnce` for an input with both a fixed value and a default, where Flyte ignores the fixed value,
 * and for a required input with a default or a fixed value; and the problems of `readGivenInputs`.
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

/** A fixed input must have no default, because no execution could replace it. */
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
      place
        .at(index)
        .report('ParameterBoundMoreThanOnce', `${name} is required, so it must not have a value here`);
    }
  }
}

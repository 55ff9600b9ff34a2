import { entryOf, isRecord } from '../values/json.ts';
import { entityMetadata } from './entity-metadata-forms.ts';
import {
  always,
  type Form,
  given,
  type Leftover,
  mapOf,
  message,
  named,
  Place,
  same,
  unless,
  withLeftovers,
  wrapped,
} from './form.ts';
import { settings } from './launch-plan-forms.ts';
import { literal, variable } from './literal-forms.ts';
import { identifier, shortDescription, taskTemplate } from './task-forms.ts';
import { subWorkflows, workflowTemplate } from './workflow-forms.ts';

/**
 * What Flyte's tools register, in its protobuf JSON, and the same in our form.
 *
 * `toOurs` changes the form and checks nothing: the readers of the registry check the result as they check our own API.
 * A field that our form cannot hold is in `leftovers`, unless it has its default value or our compiler computes it.
 * `toFlyte` puts leftovers back into their places, so what was registered can be read again.
 *
 * A field with its default value and an absent field are the same to protobuf, and so they are here.
 * Source: Flyte v1.16, `flyteidl/admin/task.proto`, `workflow.proto` and `launch_plan.proto`.
 */
export interface FlyteSpec<Ours> {
  toOurs(flyte: unknown): { readonly ours: Ours; readonly leftovers: readonly Leftover[] };
  toFlyte(ours: Partial<Ours>, leftovers?: readonly Leftover[]): unknown;
}

/** The form is unknown until a reader has checked it, so its parts are unknown too. */
export interface TaskSpec {
  readonly template: unknown;
  readonly shortDescription: string;
}

export interface WorkflowSpec extends TaskSpec {
  readonly subWorkflows: unknown;
}

export interface LaunchPlanSpec {
  readonly workflowId: unknown;
  /** For each input, its variable, and either its default or that it is required. */
  readonly expectedInputs: unknown;
  readonly fixedInputs: unknown;
  /** The schedule and the notifications; undefined if there are none. */
  readonly entityMetadata?: unknown;
  /** What it sets for its executions, such as labels. */
  readonly [setting: string]: unknown;
}

function spec<Ours extends object>(form: Form): FlyteSpec<Ours> {
  return {
    toOurs(flyte) {
      const place = new Place();
      const ours = form.toOurs(flyte, place);
      return { ours: (isRecord(ours) ? ours : {}) as Ours, leftovers: place.leftovers };
    },
    toFlyte: (ours, leftovers = []) => withLeftovers(form.toFlyte(ours), leftovers),
  };
}

const described = { shortDescription: named('description', shortDescription) };

export const flyteTask = spec<TaskSpec>(message({ template: given(taskTemplate), ...described }));

export const flyteWorkflow = spec<WorkflowSpec>(
  message({ template: given(workflowTemplate), subWorkflows, ...described }),
);

const parameter = message({
  var: given(variable),
  default: given(literal),
  required: given(same),
});

export const flyteLaunchPlan = spec<LaunchPlanSpec>(
  message({
    workflowId: given(identifier('WORKFLOW')),
    expectedInputs: named('defaultInputs', always({}, wrapped('parameters', {}, mapOf(parameter)))),
    fixedInputs: always({}, wrapped('literals', {}, mapOf(literal))),
    ...settings,
    entityMetadata: unless({}, entityMetadata),
  }),
);

/** The inputs of a launch plan as our API takes them: the defaults, and the names of the required inputs. */
export function launchPlanInputs({ expectedInputs, fixedInputs }: LaunchPlanSpec) {
  const parameters = isRecord(expectedInputs) ? Object.entries(expectedInputs) : [];
  const fieldOf = (one: unknown, name: string) => (isRecord(one) ? entryOf(one, name) : undefined);
  const defaults = parameters.flatMap(([name, one]) => {
    const value = fieldOf(one, 'default');
    return value === undefined ? [] : [[name, value] as const];
  });
  const required = parameters.flatMap(([name, one]) => (fieldOf(one, 'required') === true ? [name] : []));
  return {
    defaultInputLiterals: Object.fromEntries(defaults),
    requiredInputs: required,
    fixedInputLiterals: fixedInputs,
  };
}

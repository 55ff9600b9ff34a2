import { entryOf, isRecord } from '../../values/json.ts';
import { Place } from '../../values/problem-list.ts';
import {
  checked,
  choice,
  fields,
  isAbsent,
  list,
  name,
  optional,
  type Reader,
  required,
} from '../../values/readers.ts';
import type { EntityKey } from './entity-keys.ts';
import type { LaunchPlanInputs } from './launch-plan.ts';
import { type NotificationPhase, notificationPhases } from './notifications.ts';

/**
 * A launch plan that starts an execution when an execution of another launch plan has ended. This is the stored form;
 * without triggers, the document of a launch plan has no such field.
 */
export interface Trigger {
  /** The other launch plan: all its versions. */
  readonly launchPlan: TriggerSource;
  /** The phases that count; absent: as `defaultTriggerPhases`. */
  readonly phases?: readonly NotificationPhase[];
  /** The inputs that get outputs of the execution that has ended. */
  readonly inputs?: readonly TriggerInput[];
}

export type TriggerSource = Omit<EntityKey, 'version'>;

export interface TriggerInput {
  readonly var: string;
  /** The name of the output. */
  readonly output: string;
}

export const defaultTriggerPhases: readonly NotificationPhase[] = ['SUCCEEDED'];

export const MAX_TRIGGERS = 10;

/**
 * How many executions one execution can start through triggers, one after the other. Two launch plans that trigger each
 * other stop after this many.
 */
export const MAX_TRIGGER_DEPTH = 32;

/**
 * How many executions the end of one execution can start through triggers in all. The depth alone does not limit this: if
 * each of several launch plans triggers several others, each step has several times as many executions as the one before.
 */
export const MAX_TRIGGERED = 1000;

export const phasesOf = ({ phases }: Trigger): readonly NotificationPhase[] => phases ?? defaultTriggerPhases;

/** The triggers in a stored document of a launch plan. */
export const triggersIn = (document: unknown): readonly Trigger[] =>
  (document as { readonly triggers?: readonly Trigger[] }).triggers ?? [];

/** Reports each item that says the same as an earlier one. */
const distinct =
  <T>(keyOf: (item: T) => unknown, problem: string) =>
  (items: readonly T[], place: Place): void => {
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      const key = JSON.stringify(keyOf(item));
      if (seen.has(key)) place.at(index).report('InvalidValue', problem);
      seen.add(key);
    }
  };

const phases = checked(
  list<NotificationPhase>(choice(...notificationPhases)),
  (values: readonly NotificationPhase[], place) => {
    if (values.length === 0) place.report('MissingField', 'give at least one phase');
    distinct((phase: NotificationPhase) => phase, 'the phase is there twice')(values, place);
  },
);

const inputs = checked(
  list(fields<TriggerInput>({ var: required(name), output: required(name) })),
  distinct((input: TriggerInput) => input.var, 'the input is there twice'),
);

const trigger = fields<Trigger>({
  launchPlan: required(
    fields<TriggerSource>({ project: required(name), domain: required(name), name: required(name) }),
  ),
  phases: optional(phases),
  inputs: optional(inputs),
});

const sourceOf = ({ launchPlan: { project, domain, name } }: Trigger) => [project, domain, name];

const triggers: Reader<Trigger[]> = checked(list(trigger), (values, place) => {
  if (values.length > MAX_TRIGGERS) place.report('InvalidValue', `give at most ${MAX_TRIGGERS} triggers`);
  distinct(sourceOf, 'another trigger has the same launch plan')(values, place);
});

/**
 * Reads the triggers of a launch plan. A launch plan that starts by itself must run without a user: each expected input
 * needs a default, or an output of the execution that has ended. Whether that output exists and has the right type is
 * known only when it has ended.
 *
 * @returns undefined if there is none.
 * @throws InvalidArgumentError with all problems.
 */
export function compileTriggers(
  given: unknown,
  plan: Pick<LaunchPlanInputs, 'expectedInputs'> & { readonly key: EntityKey },
): readonly Trigger[] | undefined {
  if (isAbsent(given)) return undefined;
  const place = new Place(['input', 'triggers']);
  const read = triggers(given, place) ?? [];
  for (const [index, one] of read.entries()) checkTrigger(one, plan, place.at(index));
  place.problems.throwIfAny();
  return read.length > 0 ? read.map(storedTrigger) : undefined;
}

function checkTrigger(
  trigger: Trigger,
  { key, expectedInputs }: Pick<LaunchPlanInputs, 'expectedInputs'> & { readonly key: EntityKey },
  place: Place,
): void {
  if (JSON.stringify(sourceOf(trigger)) === JSON.stringify([key.project, key.domain, key.name]))
    place.at('launchPlan').report('InvalidValue', 'a launch plan must not trigger itself');
  const given = trigger.inputs ?? [];
  if (given.length > 0 && phasesOf(trigger).some((phase) => phase !== 'SUCCEEDED'))
    place
      .at('phases')
      .report(
        'InvalidValue',
        'only executions that have SUCCEEDED have outputs: leave out inputs or the other phases',
      );
  for (const [index, { var: input }] of given.entries())
    if (!isRecord(entryOf(expectedInputs, input)))
      place
        .at('inputs', index, 'var')
        .report('VariableNameNotFound', `there is no input ${input} that an execution may give`);
  const names = new Set(given.map((one) => one.var));
  for (const [input, expected] of Object.entries(expectedInputs))
    if ('required' in expected && !names.has(input))
      place.report(
        'MissingField',
        `the trigger does not give the input ${input}: it needs an output, a default or a fixed value`,
      );
}

/** The form that is stored. What means the same as nothing is left out, so that equal launch plans have equal digests. */
function storedTrigger({ launchPlan, phases: given, inputs: taken }: Trigger): Trigger {
  const asked = notificationPhases.filter((phase) => given?.includes(phase));
  const isDefault = asked.length === 0 || (asked.length === 1 && asked[0] === 'SUCCEEDED');
  return {
    launchPlan,
    ...(isDefault ? {} : { phases: asked }),
    ...(taken && taken.length > 0 ? { inputs: taken } : {}),
  };
}

import { builder } from '../../graphql/builder.ts';
import {
  MAX_TRIGGER_DEPTH,
  MAX_TRIGGERED,
  phasesOf,
  type Trigger,
  type TriggerInput,
} from '../domain/triggers.ts';
import type { TriggerRow } from '../store/triggers.ts';
import { EntityNameInput } from './entity-key.ts';
import { EntityNameType } from './entity-names.ts';
import { NotificationPhaseEnum } from './notification.ts';
import {
  activationFields,
  failureFields,
  pauseOf,
  pauseType,
  type StartFailure,
  startFailureIn,
} from './start-status.ts';

const sourceText =
  'The launch plan whose executions it waits for: all its versions, and all executions that the user who activates this version may read. It need not exist yet.';
const inputsText =
  'The inputs that get outputs of the execution that has ended. The other inputs need defaults or fixed values.';
const varText = 'The name of the input. It is not fixed.';
const outputText = 'The name of the output. If the execution does not have it, nothing is started.';

const LaunchPlanTriggerValueType = builder.objectRef<TriggerInput>('LaunchPlanTriggerValue').implement({
  description: 'An input that gets an output of another execution.',
  fields: (t) => ({
    var: t.exposeString('var', { description: varText }),
    output: t.exposeString('output', { description: outputText }),
  }),
});

const TriggerFailureType = builder.objectRef<StartFailure>('TriggerFailure').implement({
  description: 'Why a trigger could not start an execution.',
  fields: (t) => failureFields(t, 'When it was given up.'),
});

const TriggerPauseType = pauseType('TriggerPause', 'the triggers of a launch plan');

const TriggerStatusType = builder.objectRef<TriggerRow>('TriggerStatus').implement({
  description: 'How a trigger of an active launch plan is doing.',
  fields: (t) => ({
    ...activationFields(t, 'What has ended before does not count.'),
    failure: t.field({
      type: TriggerFailureType,
      nullable: true,
      description: `The latest failure since the activation; null if there is none. RESOURCE_EXHAUSTED: the end of one execution has led to ${MAX_TRIGGERED} others through triggers.`,
      resolve: startFailureIn,
    }),
    pause: t.field({
      type: TriggerPauseType,
      nullable: true,
      description: 'Why nothing is started at the moment; null if the triggers are not paused.',
      resolve: pauseOf,
    }),
  }),
});

/** A trigger of a version. Only triggers of active versions have a row. */
export interface ShownTrigger extends Trigger {
  readonly status: TriggerRow | null;
}

export const LaunchPlanTriggerType = builder.objectRef<ShownTrigger>('LaunchPlanTrigger').implement({
  description: `Starts an execution when an execution of another launch plan has ended. It does so while its own version is ACTIVE, once for each end. At most ${MAX_TRIGGER_DEPTH} triggers can follow each other, and the end of one execution leads to at most ${MAX_TRIGGERED} others.`,
  fields: (t) => ({
    launchPlan: t.expose('launchPlan', { type: EntityNameType, description: sourceText }),
    phases: t.field({
      type: [NotificationPhaseEnum],
      description: 'The last phases of an execution that count.',
      resolve: (trigger) => [...phasesOf(trigger)],
    }),
    inputs: t.field({
      type: [LaunchPlanTriggerValueType],
      extensions: { listSize: 10 },
      description: inputsText,
      resolve: ({ inputs }) => [...(inputs ?? [])],
    }),
    status: t.expose('status', {
      type: TriggerStatusType,
      nullable: true,
      description: 'How the trigger is doing; null if the version is not ACTIVE.',
    }),
  }),
});

const LaunchPlanTriggerValueInput = builder.inputType('LaunchPlanTriggerValueInput', {
  description: 'An input that gets an output of another execution.',
  fields: (t) => ({
    var: t.string({ required: true, description: varText }),
    output: t.string({ required: true, description: outputText }),
  }),
});

export const LaunchPlanTriggerInput = builder.inputType('LaunchPlanTriggerInput', {
  description: 'Starts an execution when an execution of another launch plan has ended.',
  fields: (t) => ({
    launchPlan: t.field({ type: EntityNameInput, required: true, description: sourceText }),
    phases: t.field({
      type: [NotificationPhaseEnum],
      defaultValue: ['SUCCEEDED'],
      description: 'The last phases of an execution that count. With `inputs`, only SUCCEEDED.',
    }),
    inputs: t.field({ type: [LaunchPlanTriggerValueInput], defaultValue: [], description: inputsText }),
  }),
});

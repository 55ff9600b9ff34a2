import { builder } from '../../graphql/builder.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { phasesOf, type Trigger, type TriggerInput } from '../domain/triggers.ts';
import type { TriggerRow } from '../store/triggers.ts';
import { EntityNameInput } from './entity-key.ts';
import { EntityNameType } from './entity-names.ts';
import { NotificationPhaseEnum } from './notification.ts';

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

interface Failure {
  readonly at: Date;
  readonly code: string;
  readonly message: string;
}

const TriggerFailureType = builder.objectRef<Failure>('TriggerFailure').implement({
  description: 'Why a trigger could not start an execution.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was given up.' }),
    code: t.exposeString('code', {
      description: 'The code of the error, such as `PERMISSION_DENIED`, as `createExecution` answers it.',
    }),
    message: t.exposeString('message', { description: 'What went wrong, for people.' }),
  }),
});

const TriggerStatusType = builder.objectRef<TriggerRow>('TriggerStatus').implement({
  description: 'How a trigger of an active launch plan is doing.',
  fields: (t) => ({
    activatedAt: t.expose('activatedAt', {
      type: 'DateTime',
      description: 'When the version was last activated. What has ended before does not count.',
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description:
        'The user who activated the version. The executions are started as this user, who must still be allowed to start them.',
      resolve: ({ activatedById }, _args, { loaders }) => loaders.publicUser.load(activatedById),
    }),
    failure: t.field({
      type: TriggerFailureType,
      nullable: true,
      description: 'The latest failure since the activation; null if there is none.',
      resolve: ({ errorAt, errorCode, errorMessage }): Failure | null =>
        errorAt && { at: errorAt, code: errorCode ?? 'INTERNAL', message: errorMessage ?? '' },
    }),
  }),
});

/** A trigger of a version. Only triggers of active versions have a row. */
export interface ShownTrigger extends Trigger {
  readonly status: TriggerRow | null;
}

export const LaunchPlanTriggerType = builder.objectRef<ShownTrigger>('LaunchPlanTrigger').implement({
  description:
    'Starts an execution when an execution of another launch plan has ended. It does so while its own version is ACTIVE, once for each end. At most 32 triggers can follow each other.',
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

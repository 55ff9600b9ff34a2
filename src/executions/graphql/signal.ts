import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { parseFilters } from '../../platform/flyte-filters.ts';
import { LiteralTypeInput } from '../../registry/graphql/literal-type-input.ts';
import { toPlain } from '../../values/plain-values.ts';
import { createSignal } from '../commands/create-signal.ts';
import { setSignal } from '../commands/set-signal.ts';
import { signalFilters } from '../store/filter-columns.ts';
import type { ExecutionBy, ExecutionRow } from '../store/reads.ts';
import { countSignals, listSignals, type SignalRow, signalsOfExecutions } from '../store/signals.ts';
import { ExecutionByInput, ExecutionType } from './execution.ts';

export const SignalType = builder.objectRef<SignalRow>('Signal').implement({
  description:
    'What a gate of an execution waits for. A person or a program sets its value. Everybody who may read the execution may read it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique over all signals.' }),
    signalId: t.exposeString('signalId', {
      description: 'The id that the workflow gives it, unique in the execution.',
    }),
    type: t.field({
      type: 'JSON',
      description: "The type of the value, as Flyte's LiteralType.",
      resolve: (signal) => signal.type,
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value as a plain value; null until it is set.',
      resolve: (signal) => signal.value && toPlain(signal.value),
    }),
    literal: t.field({
      type: 'JSON',
      nullable: true,
      description: "The same value as Flyte's literal; null until it is set.",
      resolve: (signal) => signal.value,
    }),
    setAt: t.expose('setAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the value was last set; null before that.',
    }),
    setBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who last set the value; null before that.',
      resolve: ({ setById }, _args, { loaders }) =>
        setById === null ? null : loaders.publicUser.load(setById),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the signal was created.' }),
    execution: t.field({
      type: ExecutionType,
      nullable: true,
      description: 'The execution that the signal belongs to.',
      resolve: (signal, _args, { loaders }) => loaders.execution.load({ id: signal.executionId }),
    }),
  }),
});

const SignalConnection = connectionType(SignalType);

const signalsOf = (parentId: string, args: PageArguments, { loaders }: Context) =>
  pagedList(
    args,
    signalsOfExecutions.order,
    (page) => loaders.signalsOfExecution.load({ parentId, page }),
    () => loaders.signalCount.load(parentId, null),
  );

builder.objectField(ExecutionType, 'signals', (t) =>
  t.connection(
    {
      type: SignalType,
      description: 'The signals of the execution, newest first. A gate creates its signal when it starts.',
      resolve: ({ id }, args, context) => signalsOf(id, args, context),
    },
    SignalConnection,
  ),
);

builder.queryField('signals', (t) =>
  t.connection(
    {
      type: SignalType,
      description: 'The signals of one execution, newest first.',
      args: { ...addressOf(ExecutionByInput, 'execution'), ...filtersArgument(signalFilters) },
      resolve: async (_root, { by, filters, ...args }, context) => {
        const { id } = await getExecution(by as ExecutionBy, context);
        const terms = parseFilters(filters ?? '');
        return await pagedList(
          args,
          signalsOfExecutions.order,
          (page) => listSignals(id, terms, page),
          () => countSignals(id, terms),
        );
      },
    },
    SignalConnection,
  ),
);

/** The execution of an address, which the rule has found. */
async function getExecution(by: ExecutionBy, { loaders }: Context): Promise<ExecutionRow> {
  const execution = await loaders.execution.load(by);
  if (!execution) throw new NotFoundError('execution', addressText(by));
  return execution;
}

const CreateSignalInput = builder.inputType('CreateSignalInput', {
  description: 'A signal to create, or to find.',
  fields: (t) => ({
    execution: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'The execution that it belongs to.',
    }),
    signalId: t.string({
      required: true,
      description: 'Its id, unique in the execution, at most 255 characters.',
    }),
    type: t.field({ type: LiteralTypeInput, required: true, description: 'The type of its value.' }),
  }),
});

const SetSignalInput = builder.inputType('SetSignalInput', {
  description: 'The value of a signal. Give `value` or `literal`.',
  fields: (t) => ({
    execution: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'The execution that it belongs to.',
    }),
    signalId: t.string({ required: true, description: 'The id of the signal.' }),
    value: t.field({ type: 'JSON', description: 'The value as a plain value of the type of the signal.' }),
    literal: t.field({ type: 'JSON', description: "The value as Flyte's Literal." }),
  }),
});

const CreateSignalPayload = payload('CreateSignalPayload', 'signal', SignalType);
const SetSignalPayload = payload('SetSignalPayload', 'signal', SignalType);

builder.mutationFields((t) => ({
  createSignal: t.field({
    type: CreateSignalPayload,
    nullable: true,
    description:
      'Creates a signal of an execution, or answers the one that exists. Requires EDIT on the workflow of the execution. A gate creates its signal when it starts, so this is only needed to set a value before that.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(CreateSignalInput),
    resolve: async (_root, { input }, context) => {
      const execution = await getExecution(input.execution as ExecutionBy, context);
      return { signal: await createSignal(callerOf(context), execution.id, input) };
    },
  }),
  setSignal: t.field({
    type: SetSignalPayload,
    nullable: true,
    description:
      'Sets the value of a signal, so that the gate that waits for it ends. Requires EDIT on the workflow of the execution. The value may be set again; a gate that has ended keeps what it got.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(SetSignalInput),
    resolve: async (_root, { input }, context) => {
      const execution = await getExecution(input.execution as ExecutionBy, context);
      return { signal: await setSignal(callerOf(context), execution, input) };
    },
  }),
}));

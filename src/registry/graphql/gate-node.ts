import { builder } from '../../graphql/builder.ts';
import { formatDuration, parseDuration } from '../../platform/duration.ts';
import type { GateNode } from '../domain/workflow-templates.ts';
import { LiteralTypeType } from './literal-type.ts';
import { LiteralTypeInput } from './literal-type-input.ts';

const ApproveConditionInput = builder.inputType('ApproveConditionInput', {
  description: 'An approval by a person or a program, which passes the inputs of the node on as its outputs.',
  fields: (t) => ({
    signalId: t.string({
      required: true,
      description: 'The id of the signal whose value is true or false, unique in an execution.',
    }),
  }),
});

const SignalConditionInput = builder.inputType('SignalConditionInput', {
  description: 'A value from a person or a program, which becomes the output of the node.',
  fields: (t) => ({
    signalId: t.string({ required: true, description: 'The id of the signal, unique in an execution.' }),
    type: t.field({ type: LiteralTypeInput, required: true, description: 'The type of the value.' }),
    outputVariableName: t.string({ required: true, description: 'The name of the output.' }),
  }),
});

const SleepConditionInput = builder.inputType('SleepConditionInput', {
  description: 'A time to wait.',
  fields: (t) => ({
    duration: t.field({ type: 'Duration', required: true, description: 'How long the node waits.' }),
  }),
});

export const GateNodeInput = builder.inputType('GateNodeInput', {
  description: 'A node that waits.',
  isOneOf: true,
  fields: (t) => ({
    approve: t.field({ type: ApproveConditionInput, description: 'It waits for an approval.' }),
    signal: t.field({ type: SignalConditionInput, description: 'It waits for a value.' }),
    sleep: t.field({ type: SleepConditionInput, description: 'It waits for some time.' }),
  }),
});

/** The fields of a gate, as far as they are read here. */
export interface GateNodeFields {
  readonly sleep?: { readonly duration: number } | null;
}

/** The gate in the form that the domain reads. */
export const gateNodeOf = (gate: GateNodeFields): unknown =>
  gate.sleep ? { sleep: { duration: formatDuration(gate.sleep.duration) } } : gate;

type Approve = Extract<GateNode, { approve: object }>['approve'];
type Signal = Extract<GateNode, { signal: object }>['signal'];
type Sleep = Extract<GateNode, { sleep: object }>['sleep'];

const ApproveConditionType = builder.objectRef<Approve>('ApproveCondition').implement({
  description: 'An approval by a person or a program.',
  fields: (t) => ({
    signalId: t.exposeString('signalId', {
      description: 'The id of the signal whose value is true or false, unique in an execution.',
    }),
  }),
});

const SignalConditionType = builder.objectRef<Signal>('SignalCondition').implement({
  description: 'A value from a person or a program.',
  fields: (t) => ({
    signalId: t.exposeString('signalId', { description: 'The id of the signal, unique in an execution.' }),
    type: t.expose('type', { type: 'JSON', description: "The type of the value as Flyte's LiteralType." }),
    literalType: t.expose('type', {
      type: LiteralTypeType,
      description: 'The type of the value, field by field.',
    }),
    outputVariableName: t.exposeString('outputVariableName', {
      description: 'The name of the output of the node.',
    }),
  }),
});

const SleepConditionType = builder.objectRef<Sleep>('SleepCondition').implement({
  description: 'A time to wait.',
  fields: (t) => ({
    duration: t.field({
      type: 'Duration',
      description: 'How long the node waits.',
      resolve: ({ duration }) => parseDuration(duration) ?? 0,
    }),
  }),
});

export const GateNodeType = builder.objectRef<GateNode>('GateNode').implement({
  description: 'What a node waits for. Exactly one of the fields is not null.',
  fields: (t) => ({
    approve: t.field({
      type: ApproveConditionType,
      nullable: true,
      description: 'Set if it waits for an approval.',
      resolve: (gate) => ('approve' in gate ? gate.approve : null),
    }),
    signal: t.field({
      type: SignalConditionType,
      nullable: true,
      description: 'Set if it waits for a value.',
      resolve: (gate) => ('signal' in gate ? gate.signal : null),
    }),
    sleep: t.field({
      type: SleepConditionType,
      nullable: true,
      description: 'Set if it waits for some time.',
      resolve: (gate) => ('sleep' in gate ? gate.sleep : null),
    }),
  }),
});

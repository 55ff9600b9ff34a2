import { builder } from '../../graphql/builder.ts';
import { recordOf } from '../../graphql/key-values.ts';
import type { TypedInterface, Variable } from '../../values/literal-types.ts';
import { LiteralTypeType } from './literal-type.ts';
import { LiteralTypeInput } from './literal-type-input.ts';

interface NamedVariable extends Variable {
  readonly name: string;
}

/** Variables as a list, in the order in which they are declared. */
export const variablesOf = (variables: Readonly<Record<string, Variable>>): NamedVariable[] =>
  Object.entries(variables).map(([name, variable]) => ({ name, ...variable }));

export const VariableType = builder.objectRef<NamedVariable>('Variable').implement({
  description: 'One input or output of an interface.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name, unique among the inputs or among the outputs.' }),
    type: t.field({
      type: 'JSON',
      description:
        'Its type as Flyte\'s LiteralType: `{"simple": "INTEGER"}`, `{"collectionType": {…}}`, `{"blob": {…}}` …',
      resolve: (variable) => variable.type,
    }),
    literalType: t.expose('type', { type: LiteralTypeType, description: 'Its type, field by field.' }),
    description: t.string({
      nullable: true,
      description: 'The meaning, for people; null if none was given.',
      resolve: (variable) => variable.description ?? null,
    }),
  }),
});

export const TypedInterfaceType = builder.objectRef<TypedInterface>('TypedInterface').implement({
  description: 'The inputs and outputs of a task or workflow, with the type of each value.',
  fields: (t) => ({
    inputs: t.field({
      type: [VariableType],
      extensions: { listSize: 10 },
      description: 'The values that the task or workflow needs, each with a name and a type.',
      resolve: (signature) => variablesOf(signature.inputs),
    }),
    outputs: t.field({
      type: [VariableType],
      extensions: { listSize: 10 },
      description: 'The values that the task or workflow returns, each with a name and a type.',
      resolve: (signature) => variablesOf(signature.outputs),
    }),
  }),
});

const VariableInput = builder.inputType('VariableInput', {
  description: 'One input or output of an interface.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'The name, unique among the inputs or among the outputs.',
    }),
    type: t.field({ type: LiteralTypeInput, required: true, description: 'The type of its value.' }),
    description: t.string({ description: 'The meaning, for people.' }),
  }),
});

export const TypedInterfaceInput = builder.inputType('TypedInterfaceInput', {
  description: 'The inputs and outputs of a task or workflow, with the type of each value.',
  fields: (t) => ({
    inputs: t.field({
      type: [VariableInput],
      defaultValue: [],
      description: 'The values that the task or workflow needs, each with a name and a type.',
    }),
    outputs: t.field({
      type: [VariableInput],
      defaultValue: [],
      description: 'The values that the task or workflow returns, each with a name and a type.',
    }),
  }),
});

type VariableFields = typeof VariableInput.$inferInput;

/** The interface in the form that the domain reads. @throws InvalidArgumentError if a name is given twice. */
export function interfaceOf(input: typeof TypedInterfaceInput.$inferInput, path: readonly string[]) {
  const variables = (list: readonly VariableFields[], part: string) =>
    recordOf(
      list,
      [...path, part],
      ({ name }) => name,
      ({ type, description }) => ({
        type,
        ...(description == null ? {} : { description }),
      }),
    );
  return {
    inputs: variables(input.inputs ?? [], 'inputs'),
    outputs: variables(input.outputs ?? [], 'outputs'),
  };
}

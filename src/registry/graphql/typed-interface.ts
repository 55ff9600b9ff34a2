import { builder } from '../../graphql/builder.ts';
import { recordOf } from '../../graphql/labels.ts';
import { simpleTypes, type TypedInterface, type Variable } from '../../values/literal-types.ts';

interface NamedVariable extends Variable {
  readonly name: string;
}

const named = (variables: Readonly<Record<string, Variable>>): NamedVariable[] =>
  Object.entries(variables).map(([name, variable]) => ({ name, ...variable }));

const VariableType = builder.objectRef<NamedVariable>('Variable').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.field({
      type: 'JSON',
      description:
        'Flyte\'s LiteralType: `{"simple": "INTEGER"}`, `{"collectionType": {…}}`, `{"blob": {…}}` …',
      resolve: (variable) => variable.type,
    }),
    description: t.string({
      nullable: true,
      resolve: (variable) => variable.description ?? null,
    }),
  }),
});

export const TypedInterfaceType = builder.objectRef<TypedInterface>('TypedInterface').implement({
  description: 'What goes in and what comes out, by name.',
  fields: (t) => ({
    inputs: t.field({
      type: [VariableType],
      extensions: { listSize: 10 },
      resolve: (signature) => named(signature.inputs),
    }),
    outputs: t.field({
      type: [VariableType],
      extensions: { listSize: 10 },
      resolve: (signature) => named(signature.outputs),
    }),
  }),
});

const SimpleType = builder.enumType('SimpleType', { values: simpleTypes });

const BlobDimensionality = builder.enumType('BlobDimensionality', {
  values: ['SINGLE', 'MULTIPART'] as const,
});

const BlobTypeInput = builder.inputType('BlobTypeInput', {
  fields: (t) => ({
    format: t.string({
      description: 'Such as `csv`; two formats fit when equal or one is empty.',
    }),
    dimensionality: t.field({ type: BlobDimensionality }),
  }),
});

const EnumTypeInput = builder.inputType('EnumTypeInput', {
  fields: (t) => ({
    values: t.stringList({
      required: true,
      description: 'The first is the default.',
    }),
  }),
});

const LiteralTypeInput = builder.inputRef<object>('LiteralTypeInput').implement({
  description: "A type: exactly one of the kinds, with notes beside it. Source: Flyte's LiteralType.",
  fields: (t) => ({
    simple: t.field({ type: SimpleType }),
    schema: t.field({
      type: 'JSON',
      description: '`{columns: [{name, type}]}`',
    }),
    collectionType: t.field({
      type: LiteralTypeInput,
      description: 'A list of this.',
    }),
    mapValueType: t.field({
      type: LiteralTypeInput,
      description: 'A map from text to this.',
    }),
    blob: t.field({
      type: BlobTypeInput,
      description: 'A file, or several.',
    }),
    enumType: t.field({ type: EnumTypeInput }),
    structuredDatasetType: t.field({
      type: 'JSON',
      description: '`{columns: [{name, literalType}], format}`',
    }),
    unionType: t.field({
      type: UnionTypeInput,
      description: 'One of several; with NONE it is optional.',
    }),
    metadata: t.field({ type: 'JSON' }),
    annotation: t.field({ type: 'JSON' }),
    structure: t.field({ type: 'JSON' }),
  }),
});

const UnionTypeInput = builder.inputRef<object>('UnionTypeInput').implement({
  fields: (t) => ({
    variants: t.field({ type: [LiteralTypeInput], required: true }),
  }),
});

const VariableInput = builder.inputType('VariableInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    type: t.field({ type: LiteralTypeInput, required: true }),
    description: t.string(),
  }),
});

export const TypedInterfaceInput = builder.inputType('TypedInterfaceInput', {
  fields: (t) => ({
    inputs: t.field({ type: [VariableInput] }),
    outputs: t.field({ type: [VariableInput] }),
  }),
});

type VariableFields = typeof VariableInput.$inferInput;

/** The interface in the form that the domain reads. @throws InvalidArgumentError for a name given twice. */
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

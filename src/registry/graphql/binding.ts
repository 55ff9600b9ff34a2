import { builder, type Json } from '../../graphql/builder.ts';
import { recordOf } from '../../graphql/key-values.ts';
import { toPlain } from '../../values/plain-values.ts';
import type { CompiledBinding, CompiledBindingData, OutputReference } from '../domain/workflow-templates.ts';
import { LiteralTypeType } from './literal-type.ts';

const PromiseInput = builder.inputType('PromiseInput', {
  description:
    'A value that is known when the workflow runs: an output of another node, or an input of the workflow.',
  fields: (t) => ({
    nodeId: t.string({
      required: true,
      description: 'The id of the node that has the output. Empty for an input of the workflow.',
    }),
    var: t.string({ required: true, description: 'The name of the output or input.' }),
    attrPath: t.field({
      type: ['JSON'],
      description: 'The path to a part of the value: numbers select from lists, names from maps and structs.',
    }),
  }),
});

interface BindingDataFields {
  readonly promise?: object | null;
  readonly value?: Json | null;
  readonly literal?: Json | null;
  readonly collection?: readonly BindingDataFields[] | null;
  readonly map?: readonly { readonly key: string; readonly binding: BindingDataFields }[] | null;
}

const BindingDataInput = builder.inputRef<BindingDataFields>('BindingDataInput').implement({
  description: 'Where a value comes from.',
  isOneOf: true,
  fields: (t) => ({
    promise: t.field({
      type: PromiseInput,
      description: "Another node's output, or an input of the workflow.",
    }),
    value: t.field({ type: 'JSON', description: 'A plain value of the type of the input or output.' }),
    literal: t.field({ type: 'JSON', description: "A value as Flyte's Literal." }),
    collection: t.field({ type: [BindingDataInput], description: 'A list. Each item has its own binding.' }),
    map: t.field({ type: [BindingEntryInput], description: 'A map. Each value has its own binding.' }),
  }),
});

const BindingEntryInput = builder
  .inputRef<{ key: string; binding: BindingDataFields }>('BindingEntryInput')
  .implement({
    description: 'One entry of a map whose value has a binding.',
    fields: (t) => ({
      key: t.string({ required: true, description: 'The key, unique in its map.' }),
      binding: t.field({
        type: BindingDataInput,
        required: true,
        description: 'Where the value under the key comes from.',
      }),
    }),
  });

export const BindingInput = builder.inputType('BindingInput', {
  description: 'The value of one input of a node, or of one output of the workflow.',
  fields: (t) => ({
    var: t.string({ required: true, description: 'The name of the input or output.' }),
    binding: t.field({ type: BindingDataInput, required: true, description: 'Where its value comes from.' }),
  }),
});

/** Bindings in the form that the domain reads. */
export function bindingsOf(bindings: readonly (typeof BindingInput.$inferInput)[], path: readonly string[]) {
  return bindings.map((one) => ({
    var: one.var,
    binding: bindingDataOf(one.binding, [...path, one.var]),
  }));
}

function bindingDataOf(data: BindingDataFields, path: readonly string[]): unknown {
  if (data.collection)
    return {
      collection: {
        bindings: data.collection.map((item) => bindingDataOf(item, path)),
      },
    };
  if (data.map) {
    const entries = recordOf(
      data.map,
      path,
      ({ key }) => key,
      (entry) => bindingDataOf(entry.binding, path),
    );
    return { map: { bindings: entries } };
  }
  return data;
}

const PromiseType = builder.objectRef<OutputReference>('Promise').implement({
  description:
    "A value that is known when the workflow runs: an output of another node, or an input of the workflow. Source: Flyte's OutputReference.",
  fields: (t) => ({
    nodeId: t.exposeString('nodeId', {
      description: 'The id of the node that has the output. `start-node` for an input of the workflow.',
    }),
    var: t.exposeString('var', { description: 'The name of the output or input.' }),
    attrPath: t.field({
      type: ['JSON'],
      description:
        'The path to a part of the value: numbers select from lists, names from maps and structs. Empty for the whole value.',
      resolve: ({ attrPath = [] }) => [...attrPath],
    }),
  }),
});

interface BindingEntry {
  readonly key: string;
  readonly binding: CompiledBindingData;
}

/** Recursive, so its type is written before it is described. */
const BindingDataType = builder.objectRef<CompiledBindingData>('BindingData');

const BindingEntryType = builder.objectRef<BindingEntry>('BindingEntry').implement({
  description: 'One entry of a map whose value has a binding.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key, unique in its map.' }),
    binding: t.expose('binding', {
      type: BindingDataType,
      description: 'Where the value under the key comes from.',
    }),
  }),
});

BindingDataType.implement({
  description:
    'Where a value comes from. Exactly one of `promise`, `literal`, `collection` and `map` is not null.',
  fields: (t) => ({
    promise: t.field({
      type: PromiseType,
      nullable: true,
      description: "Set for another node's output, or an input of the workflow.",
      resolve: (data) => ('promise' in data ? data.promise : null),
    }),
    literal: t.field({
      type: 'JSON',
      nullable: true,
      description: "Set for a fixed value: the value as Flyte's Literal.",
      resolve: (data) => ('literal' in data ? data.literal : null),
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value of `literal` as a plain value. Null also stands for no value (NONE).',
      resolve: (data) => ('literal' in data ? toPlain(data.literal) : null),
    }),
    collection: t.field({
      type: [BindingDataType],
      nullable: true,
      extensions: { listSize: 5 },
      description: 'Set for a list: where each of its items comes from.',
      resolve: (data) => ('collection' in data ? [...data.collection.bindings] : null),
    }),
    map: t.field({
      type: [BindingEntryType],
      nullable: true,
      extensions: { listSize: 5 },
      description: 'Set for a map: where each of its values comes from.',
      resolve: (data) =>
        'map' in data ? Object.entries(data.map.bindings).map(([key, binding]) => ({ key, binding })) : null,
    }),
    targetType: t.field({
      type: LiteralTypeType,
      nullable: true,
      description:
        'The variant that the value has, if the target is a union and the types alone decide. Otherwise null.',
      resolve: ({ union }) => union?.targetType ?? null,
    }),
  }),
});

export const BindingType = builder.objectRef<CompiledBinding>('Binding').implement({
  description: 'The value of one input of a node, or of one output of a workflow.',
  fields: (t) => ({
    var: t.exposeString('var', { description: 'The name of the input or output.' }),
    binding: t.expose('binding', { type: BindingDataType, description: 'Where its value comes from.' }),
  }),
});

import { builder, type Json } from '../../graphql/builder.ts';
import { recordOf } from '../../graphql/key-values.ts';

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

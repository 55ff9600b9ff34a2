import { builder } from './builder.ts';

/** The interface of all objects that can be found by id. `node` and `nodes` find them: src/api/node.ts. */
export const NodeInterface = builder.interfaceRef<{ readonly id: string }>('Node').implement({
  description: 'An object that can be looked up by its id alone, with `node` or `nodes`.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'A UUIDv7 that is unique across all types and never used again. `node` finds the object by it.',
    }),
  }),
});

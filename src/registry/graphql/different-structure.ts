import { builder } from '../../graphql/builder.ts';
import { ErrorInterface } from '../../graphql/errors.ts';
import type { Difference } from '../domain/difference.ts';
import { DifferentStructureError } from '../domain/different-structure.ts';

export const DifferenceType = builder.objectRef<Difference>('StructureDifference').implement({
  description:
    'One place where two versions differ: the registered one and the given one, or an old one and a new one.',
  fields: (t) => ({
    path: t.field({
      type: ['String'],
      description: 'The place, from outside to inside: `["container", "image"]`.',
      resolve: ({ path }) => [...path],
    }),
    oldValue: t.exposeString('oldValue', {
      nullable: true,
      description: 'The registered or old value as JSON text; null if there is none. Long texts are cut.',
    }),
    newValue: t.exposeString('newValue', {
      nullable: true,
      description: 'The given or new value as JSON text; null if there is none. Long texts are cut.',
    }),
  }),
});

builder.objectType(DifferentStructureError, {
  name: 'DifferentStructureError',
  description:
    'The version is registered already, with another content. A registered version never changes: register another version.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    existingId: t.exposeID('existingId', {
      nullable: true,
      description:
        'The id of the registered version. It is never null here. The field is nullable because `AlreadyExistsError` has a field with the same name, which may be null.',
    }),
    differences: t.field({
      type: [DifferenceType],
      extensions: { listSize: 10 },
      description:
        'Where the two differ, up to 64 KiB of text. Empty if you may see the version but not read it.',
      resolve: (error) => [...error.differences],
    }),
  }),
});

import type { Group } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';

export const GroupType = builder.objectRef<Group>('Group').implement({
  description: 'Users who are granted things together.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
  }),
});

export const GroupByInput = builder.inputType('GroupBy', {
  description: 'Which group. Names are compared without regard to case.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), name: t.string() }),
});

import { builder } from '../../graphql/builder.ts';

export const GroupByInput = builder.inputType('GroupBy', {
  description: 'Which group. Names are compared without regard to case and form (NFKC).',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), name: t.string() }),
});

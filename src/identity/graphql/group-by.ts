import { builder } from '../../graphql/builder.ts';

export const GroupByInput = builder.inputType('GroupByInput', {
  description: 'The address of a group.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The group's id." }),
    name: t.string({
      description:
        'The name of the group. Names are equal if they differ only in case or Unicode form (NFKC).',
    }),
  }),
});

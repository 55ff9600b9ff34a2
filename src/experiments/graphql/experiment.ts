import { builder } from '../../graphql/builder.ts';

const ExperimentKeyInput = builder.inputType('ExperimentKeyInput', {
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    name: t.string({ required: true }),
  }),
});

export const ExperimentByInput = builder.inputType('ExperimentBy', {
  description: 'Which experiment.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), key: t.field({ type: ExperimentKeyInput }) }),
});

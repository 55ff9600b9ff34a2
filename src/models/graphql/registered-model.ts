import { builder } from '../../graphql/builder.ts';

const RegisteredModelKeyInput = builder.inputType('RegisteredModelKeyInput', {
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    name: t.string({ required: true }),
  }),
});

export const RegisteredModelByInput = builder.inputType('RegisteredModelBy', {
  description: 'Which registered model.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), key: t.field({ type: RegisteredModelKeyInput }) }),
});

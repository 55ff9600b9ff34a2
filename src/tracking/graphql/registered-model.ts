import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { deletePermanently, registeredModels } from '../commands/registered-models.ts';
import { forgetModels } from '../model-loaders.ts';
import {
  countRegisteredModels,
  listRegisteredModels,
  modelOrder,
  type RegisteredModelBy,
  type RegisteredModelFilter,
  type RegisteredModelRow,
} from '../store/models.ts';
import { projectIdOf } from './experiment.ts';
import { LifecycleFilterEnum, LifecycleStageEnum, offerLifecycle, stageOf, trackedBy } from './lifecycle.ts';

export const RegisteredModelType = builder.objectRef<RegisteredModelRow>('RegisteredModel').implement({
  description: 'A model with a name and its versions.',
  fields: (t) => ({
    stage: t.field({
      type: LifecycleStageEnum,
      description: 'Whether the registered model is deleted.',
      resolve: ({ deletedAt }) => (deletedAt ? 'DELETED' : 'ACTIVE'),
    }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deleted; null if it is in use.',
    }),
  }),
});

export const RegisteredModelByInput = trackedBy('RegisteredModel', 'a registered model');

const lifecycle = offerLifecycle({
  field: 'registeredModel',
  name: 'RegisteredModel',
  words: 'registered model',
  contents: 'its versions with their files',
  nameForm:
    'The name, unique in the project: 1 to 255 characters without slashes, colons and control characters. Names that begin with two underscores are reserved.',
  type: RegisteredModelType,
  by: RegisteredModelByInput,
  commands: registeredModels,
  find: (by, { registeredModel }) => registeredModel.load(by),
  forget: forgetModels,
});

export const { addressed: addressedModel, changed: changedModel } = lifecycle;

const RegisteredModelConnection = connectionType(RegisteredModelType);

const RegisteredModelFilterInput = builder.inputType('RegisteredModelFilterInput', {
  description: 'Which registered models a list shows: the models that meet all of these conditions.',
  fields: (t) => ({
    project: t.string({
      description:
        'Only models in the project with this identifier. If left out: in all projects of the tenant.',
    }),
    namePrefix: t.string({ description: 'Only models whose names begin with this text.' }),
    stage: t.field({
      type: LifecycleFilterEnum,
      defaultValue: 'ACTIVE',
      description: 'Only models in this stage.',
    }),
    public: t.boolean({
      description:
        'True: only public models, also of other tenants. False: only private models of your tenant. If left out: all models of your tenant.',
    }),
  }),
});

builder.queryFields((t) => ({
  registeredModel: t.field({
    type: RegisteredModelType,
    nullable: true,
    description: 'One registered model. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(RegisteredModelByInput, 'registered model'),
    resolve: (_root, { by }, { loaders }) => loaders.registeredModel.load(by as RegisteredModelBy),
  }),
  registeredModels: t.connection(
    {
      type: RegisteredModelType,
      description: 'The registered models that you may read, newest first.',
      args: {
        filter: t.arg({
          type: RegisteredModelFilterInput,
          description: 'Which models to list. If left out: the active ones.',
        }),
      },
      resolve: async (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        const shown: RegisteredModelFilter = {
          projectId: await projectIdOf(filter?.project, context),
          name: filter?.namePrefix ?? null,
          stage: stageOf(filter?.stage),
          isPublic: filter?.public ?? null,
        };
        return await pagedList(
          args,
          modelOrder,
          (page) => listRegisteredModels(caller, shown, page),
          () => countRegisteredModels(caller, shown),
        );
      },
    },
    RegisteredModelConnection,
  ),
}));

const DeleteRegisteredModelInput = builder.inputType('DeleteRegisteredModelInput', {
  description: 'A registered model to delete.',
  fields: (t) => ({
    by: lifecycle.byField(t),
    permanently: t.boolean({
      defaultValue: false,
      description:
        'True: delete the model permanently, with its versions, aliases and grants; its name is free again. False: the model can be restored.',
    }),
  }),
});

builder.mutationField('deleteRegisteredModel', (t) =>
  t.field({
    type: lifecycle.payloadOf('Delete'),
    nullable: true,
    description:
      'Deletes a registered model. Requires MANAGE on it. `restoreRegisteredModel` restores it, unless you delete it permanently.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(DeleteRegisteredModelInput),
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.by, context);
      const now = new Date();
      const deletion = input.permanently
        ? deletePermanently(callerOf(context), id, now)
        : registeredModels.remove(id, now);
      return await changedModel(deletion, context);
    },
  }),
);

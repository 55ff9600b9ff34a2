import { builder } from '../../graphql/builder.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { deleteModelAlias, updateModelAlias } from '../commands/update-model-alias.ts';
import type { RegisteredModelRow } from '../store/models.ts';
import type { AliasRow } from '../store/versions.ts';
import { ModelVersionType } from './model-version.ts';
import {
  addressedModel,
  changedModel,
  RegisteredModelByInput,
  RegisteredModelType,
} from './registered-model.ts';

const ModelAliasType = builder.objectRef<AliasRow>('ModelAlias').implement({
  description:
    'A name such as `champion` that points to one version of a registered model. It can be moved to another version.',
  fields: (t) => ({
    alias: t.exposeString('alias', { description: 'The name, unique in its registered model.' }),
    version: t.exposeInt('version', { description: 'The number of the version that the alias points to.' }),
    modelVersion: t.field({
      type: ModelVersionType,
      nullable: true,
      description: 'The version that the alias points to.',
      resolve: ({ versionId }, _args, { loaders }) => loaders.modelVersion.load({ id: versionId }),
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the alias was set to this version.',
    }),
  }),
});

builder.objectFields(RegisteredModelType, (t) => ({
  aliases: t.field({
    type: [ModelAliasType],
    extensions: { listSize: 10 },
    description: 'The aliases of the model, by name, at most 100.',
    resolve: (model, _args, { loaders }) => loaders.aliasesOfModel.load(model.id),
  }),
}));

const UpdateModelAliasInput = builder.inputType('UpdateModelAliasInput', {
  description: 'An alias, and the version that it will point to.',
  fields: (t) => ({
    model: t.field({
      type: RegisteredModelByInput,
      required: true,
      description: 'The model that has the version.',
    }),
    alias: t.string({
      required: true,
      description:
        'The name: at most 255 letters, digits, hyphens, underscores and dots. Names that look like a version, such as `v1` or `latest`, are refused.',
    }),
    version: t.int({
      required: true,
      description: 'The number of the version that the alias will point to.',
    }),
  }),
});

const DeleteModelAliasInput = builder.inputType('DeleteModelAliasInput', {
  description: 'An alias to delete.',
  fields: (t) => ({
    model: t.field({
      type: RegisteredModelByInput,
      required: true,
      description: 'The model that has the alias.',
    }),
    alias: t.string({ required: true, description: 'The name of the alias.' }),
  }),
});

const modelPayload = (name: `${string}Payload`) =>
  payload<string, RegisteredModelRow>(name, 'registeredModel', RegisteredModelType);

builder.mutationFields((t) => ({
  updateModelAlias: t.field({
    type: modelPayload('UpdateModelAliasPayload'),
    nullable: true,
    description:
      'Lets an alias point to a version. If the alias does not exist, it is created. Requires EDIT on the model.',
    errors: {
      types: [InvalidArgumentError, NotFoundError, FailedPreconditionError, ResourceExhaustedError],
    },
    args: inputOf(UpdateModelAliasInput),
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.model, context, ['input', 'model']);
      return await changedModel(updateModelAlias(id, input.alias, input.version), context);
    },
  }),
  deleteModelAlias: t.field({
    type: modelPayload('DeleteModelAliasPayload'),
    nullable: true,
    description: 'Deletes an alias, but not its version. Requires MANAGE on the model, as in MLflow.',
    errors: { types: [NotFoundError, FailedPreconditionError] },
    args: inputOf(DeleteModelAliasInput),
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.model, context, ['input', 'model']);
      return await changedModel(deleteModelAlias(id, input.alias), context);
    },
  }),
}));

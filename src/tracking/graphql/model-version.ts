import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import { executionTarget } from '../../executions/domain/targets.ts';
import { ExecutionByInput, ExecutionType } from '../../executions/graphql/execution.ts';
import type { ExecutionBy } from '../../executions/store/reads.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, type ById, inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import {
  deleteModelVersion,
  deleteModelVersionTags,
  updateModelVersion,
  updateModelVersionTags,
} from '../commands/change-model-version.ts';
import { createModelVersion } from '../commands/create-model-version.ts';
import { runTarget } from '../domain/experiment-targets.ts';
import { registeredModelTarget } from '../domain/model-targets.ts';
import { findVersion, type ModelVersionBy } from '../find-version.ts';
import { forgetModels } from '../model-loaders.ts';
import { type ModelVersionRow, versionOrder } from '../store/versions.ts';
import { addressedModel, RegisteredModelByInput, RegisteredModelType } from './registered-model.ts';
import { RunByInput, RunType } from './run.ts';

export const ModelVersionType = builder.objectRef<ModelVersionRow>('ModelVersion').implement({
  description: 'One version of a registered model. Everybody who may read the model may read it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    model: t.field({
      type: RegisteredModelType,
      nullable: true,
      description: 'The registered model of this version.',
      resolve: guardedEdge(
        'model:read',
        (version, { loaders }) => loaders.registeredModel.load({ id: version.modelId }),
        registeredModelTarget,
      ),
    }),
    version: t.exposeInt('version', {
      description: 'The number of the version, from 1. The number of a deleted version is not used again.',
    }),
    source: t.exposeString('source', {
      description:
        "The address of the model's bytes: a file that is stored on this server (`slipway://blobs/…`), or an address elsewhere.",
    }),
    file: t.field({
      type: SignedBlobType,
      nullable: true,
      description:
        'The file of the model with a URL to download it; null if it is not stored on this server.',
      resolve: async (version, _args, { loaders }) =>
        (await signedBlobs(version, [version.source], loaders))[0] ?? null,
    }),
    description: t.exposeString('description', {
      description: 'What is new or special in this version. It may be empty.',
    }),
    tags: t.field({
      type: [KeyValueType],
      extensions: { listSize: 10 },
      description: 'Its tags, at most 100.',
      resolve: ({ tags }) => entriesOf(tags),
    }),
    aliases: t.stringList({
      description: 'The aliases that point to this version, by name.',
      resolve: async ({ id }, _args, { loaders }) =>
        (await loaders.aliasesOfVersion.load(id)).map(({ alias }) => alias),
    }),
    execution: t.field({
      type: ExecutionType,
      nullable: true,
      description:
        'The execution that created the model; null if there is none, or if it is hidden from you.',
      resolve: guardedEdge(
        'execution:read',
        (version, { loaders }) =>
          version.executionId ? loaders.execution.load({ id: version.executionId }) : null,
        executionTarget,
      ),
    }),
    run: t.field({
      type: RunType,
      nullable: true,
      description: 'The run that the model comes from; null if there is none, or if it is hidden from you.',
      resolve: guardedEdge(
        'run:read',
        (version, { loaders }) => (version.runId ? loaders.run.load(version.runId) : null),
        runTarget,
      ),
    }),
    createdBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who created it.',
      resolve: ({ createdById }, _args, { loaders }) => loaders.publicUser.load(createdById),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

const ModelVersionConnection = connectionType(ModelVersionType);

builder.objectFields(RegisteredModelType, (t) => ({
  versions: t.connection(
    {
      type: ModelVersionType,
      description: 'The versions of the model, newest first.',
      resolve: ({ id: parentId }, args, { loaders }) =>
        pagedList(
          args,
          versionOrder,
          (page) => loaders.versionsOfModel.load({ parentId, page }),
          () => loaders.versionCount.load(parentId, null),
        ),
    },
    ModelVersionConnection,
  ),
  latestVersion: t.field({
    type: ModelVersionType,
    nullable: true,
    description: 'The version with the highest number; null if the model has no versions.',
    resolve: async (model, _args, { loaders }) => {
      const page = { limit: 1, backward: false, from: null };
      return (await loaders.versionsOfModel.load({ parentId: model.id, page }))[0] ?? null;
    },
  }),
}));

const ModelVersionKeyInput = builder.inputType('ModelVersionKeyInput', {
  description: 'The key of a version: its model and number.',
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true, description: 'The registered model.' }),
    version: t.int({ required: true, description: 'The number of the version, from 1.' }),
  }),
});

const ModelAliasKeyInput = builder.inputType('ModelAliasKeyInput', {
  description: 'The key of a version: its model and an alias that points to it.',
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true, description: 'The registered model.' }),
    alias: t.string({ required: true, description: 'The name of the alias, such as `champion`.' }),
  }),
});

const ModelVersionByInput = builder.inputType('ModelVersionByInput', {
  description: 'The address of a version of a registered model.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The id of the version.' }),
    key: t.field({ type: ModelVersionKeyInput, description: 'Its model and number.' }),
    alias: t.field({ type: ModelAliasKeyInput, description: 'Its model and an alias that points to it.' }),
  }),
});

builder.queryField('modelVersion', (t) =>
  t.field({
    type: ModelVersionType,
    nullable: true,
    description:
      'One version of a registered model. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(ModelVersionByInput, 'version of a registered model'),
    resolve: (_root, { by }, { loaders }) => findVersion(by as ModelVersionBy, loaders),
  }),
);

const CreateModelVersionInput = builder.inputType('CreateModelVersionInput', {
  description: 'A version to add to a registered model.',
  fields: (t) => ({
    model: t.field({
      type: RegisteredModelByInput,
      required: true,
      description: 'The model that gets the version.',
    }),
    source: t.string({
      required: true,
      description:
        "The address of the model's bytes: a file in the model's project (`slipway://blobs/…`), or an address elsewhere (`s3://…`, `gs://…`, `https://…`). At most 2048 characters, without a password.",
    }),
    execution: t.field({
      type: ExecutionByInput,
      description: 'The execution that created the model. Requires READ on it.',
    }),
    run: t.field({
      type: RunByInput,
      description: 'The run that the model comes from. Requires READ on its experiment.',
    }),
    description: t.string({
      defaultValue: '',
      description: 'What is new or special in this version, at most 5000 characters.',
    }),
    tags: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'At most 100 tags, with keys of 1 to 250 characters and values of at most 5000.',
    }),
  }),
});

const byVersion = { type: ModelVersionByInput, required: true, description: 'Which version.' } as const;

const UpdateModelVersionInput = builder.inputType('UpdateModelVersionInput', {
  description: 'The changes of a version. Fields that are left out do not change.',
  fields: (t) => ({
    by: t.field(byVersion),
    description: t.string({ description: 'The new description, at most 5000 characters.' }),
  }),
});

const UpdateModelVersionTagsInput = builder.inputType('UpdateModelVersionTagsInput', {
  description: 'Tags to add to a version.',
  fields: (t) => ({
    by: t.field(byVersion),
    tags: t.field({
      type: [KeyValueInput],
      required: true,
      description:
        'The tags to add. A tag replaces an existing tag with the same key. Other tags do not change.',
    }),
  }),
});

const DeleteModelVersionTagsInput = builder.inputType('DeleteModelVersionTagsInput', {
  description: 'Tags to remove from a version.',
  fields: (t) => ({
    by: t.field(byVersion),
    keys: t.stringList({
      required: true,
      description: 'The keys of the tags. Keys that do not exist are ignored.',
    }),
  }),
});

const DeleteModelVersionInput = builder.inputType('DeleteModelVersionInput', {
  description: 'A version to delete.',
  fields: (t) => ({ by: t.field(byVersion) }),
});

const versionPayload = (name: `${string}Payload`) => payload(name, 'modelVersion', ModelVersionType);
/** The version that the rule has checked, even if its alias points to another one now. */
async function addressed(by: object, { loaders }: Context): Promise<ModelVersionRow> {
  const version = await findVersion(by as ModelVersionBy, loaders);
  if (!version) throw new NotFoundError('model version', addressText(by), ['input', 'by']);
  return version;
}

/** The answer of a command. It also clears what the request has cached about models. */
async function changed(work: Promise<ModelVersionRow>, { loaders }: Context) {
  try {
    return { modelVersion: await work };
  } finally {
    forgetModels(loaders);
  }
}

builder.mutationFields((t) => ({
  createModelVersion: t.field({
    type: versionPayload('CreateModelVersionPayload'),
    nullable: true,
    description:
      'Adds a version to a registered model. The version gets the next number. Requires EDIT on the model, and READ on the execution and the run of the version.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(CreateModelVersionInput),
    resolve: async (_root, { input }, context) => {
      const model = await addressedModel(input.model, context, ['input', 'model']);
      const version = createModelVersion(callerOf(context), {
        modelId: model.id,
        source: input.source,
        description: input.description ?? '',
        tags: mapOf(input.tags ?? [], ['input', 'tags']),
        execution: (input.execution ?? null) as ExecutionBy | null,
        runId: (input.run as ById | null | undefined)?.id ?? null,
      });
      return await changed(version, context);
    },
  }),
  updateModelVersion: t.field({
    type: versionPayload('UpdateModelVersionPayload'),
    nullable: true,
    description: 'Changes the description of a version. Requires EDIT on its model.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(UpdateModelVersionInput),
    resolve: async (_root, { input }, context) => {
      const version = await addressed(input.by, context);
      return await changed(updateModelVersion(version, { description: input.description ?? null }), context);
    },
  }),
  updateModelVersionTags: t.field({
    type: versionPayload('UpdateModelVersionTagsPayload'),
    nullable: true,
    description: 'Adds tags to a version, or changes their values. Requires EDIT on its model.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(UpdateModelVersionTagsInput),
    resolve: async (_root, { input }, context) => {
      const tags = mapOf(input.tags, ['input', 'tags']);
      return await changed(updateModelVersionTags(await addressed(input.by, context), tags), context);
    },
  }),
  deleteModelVersionTags: t.field({
    type: versionPayload('DeleteModelVersionTagsPayload'),
    nullable: true,
    description: 'Removes tags from a version. Requires MANAGE on its model, as in MLflow.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(DeleteModelVersionTagsInput),
    resolve: async (_root, { input }, context) =>
      await changed(deleteModelVersionTags(await addressed(input.by, context), input.keys), context),
  }),
  deleteModelVersion: t.field({
    type: versionPayload('DeleteModelVersionPayload'),
    nullable: true,
    description:
      'Deletes a version permanently, with the aliases that point to it. Requires MANAGE on its model. The number is not used again.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(DeleteModelVersionInput),
    resolve: async (_root, { input }, context) =>
      await changed(deleteModelVersion(await addressed(input.by, context)), context),
  }),
}));

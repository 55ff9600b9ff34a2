import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import { executionTarget } from '../../executions/domain/targets.ts';
import { ExecutionByInput, ExecutionType } from '../../executions/graphql/execution.ts';
import type { ExecutionBy } from '../../executions/store/reads.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LabelInput, LabelType, labelEntries, labelsOf } from '../../graphql/labels.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import {
  deleteModelVersion,
  deleteModelVersionTags,
  setModelVersionTags,
  updateModelVersion,
} from '../commands/change-model-version.ts';
import { createModelVersion } from '../commands/create-model-version.ts';
import { deleteModelAlias, setModelAlias } from '../commands/set-model-alias.ts';
import { runTarget } from '../domain/experiment-targets.ts';
import { registeredModelTarget } from '../domain/model-targets.ts';
import { findVersion, type ModelVersionBy } from '../find-version.ts';
import { forgetModels } from '../model-loaders.ts';
import { type AliasRow, type ModelVersionRow, versionOrder } from '../store/versions.ts';
import {
  addressedModel,
  changedModel,
  modelPayload,
  RegisteredModelByInput,
  RegisteredModelType,
} from './registered-model.ts';
import { RunType } from './run.ts';

export const ModelVersionType = builder.objectRef<ModelVersionRow>('ModelVersion').implement({
  description: 'One version of a registered model. Who may read the model may read it.',
  fields: (t) => ({
    id: t.exposeID('id'),
    model: t.field({
      type: RegisteredModelType,
      nullable: true,
      resolve: guardedEdge(
        'model:read',
        (version, { loaders }) => loaders.registeredModel.load({ id: version.modelId }),
        registeredModelTarget,
      ),
    }),
    version: t.exposeInt('version', { description: 'From 1; a number is never given again.' }),
    source: t.exposeString('source', {
      description: "Where the model's bytes are: `slipway://blobs/…`, or an address elsewhere.",
    }),
    file: t.field({
      type: SignedBlobType,
      nullable: true,
      description: 'The source, when it is a file of ours, with an address to fetch it from.',
      resolve: async (version, _args, { loaders }) =>
        (await signedBlobs(version, [version.source], loaders))[0] ?? null,
    }),
    description: t.exposeString('description'),
    tags: t.field({
      type: [LabelType],
      extensions: { listSize: 10 },
      resolve: ({ tags }) => labelEntries(tags),
    }),
    aliases: t.stringList({
      description: 'The names that point at it.',
      resolve: async ({ id }, _args, { loaders }) =>
        (await loaders.aliasesOfVersion.load(id)).map(({ alias }) => alias),
    }),
    execution: t.field({
      type: ExecutionType,
      nullable: true,
      description: 'What made it; null for none, and for one that is hidden.',
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
      description: 'The run that it came from; null for none, and for one that is hidden.',
      resolve: guardedEdge(
        'run:read',
        (version, { loaders }) => (version.runId ? loaders.run.load(version.runId) : null),
        runTarget,
      ),
    }),
    createdBy: t.field({
      type: PrincipalType,
      nullable: true,
      description:
        'Who made it, also after the user was deleted. Null for what another tenant has published.',
      resolve: ({ createdById }, _args, { loaders }) => loaders.publicUser.load(createdById),
    }),
    createdAt: t.field({ type: 'DateTime', resolve: ({ createdAt }) => createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: ({ updatedAt }) => updatedAt }),
  }),
});

const ModelAliasType = builder.objectRef<AliasRow>('ModelAlias').implement({
  description: 'A name that points at one version, and can be pointed at another: `champion`.',
  fields: (t) => ({
    alias: t.exposeString('alias'),
    version: t.exposeInt('version', { description: 'The number of the version that it points at.' }),
    modelVersion: t.field({
      type: ModelVersionType,
      nullable: true,
      resolve: ({ versionId }, _args, { loaders }) => loaders.modelVersion.load({ id: versionId }),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When it was pointed there.',
      resolve: ({ updatedAt }) => updatedAt,
    }),
  }),
});

builder.objectFields(RegisteredModelType, (t) => ({
  versions: t.connection(
    {
      type: ModelVersionType,
      description: 'Its versions, newest first.',
      resolve: (model, args, { loaders }) =>
        pagedList(args, versionOrder, (page) => loaders.versionsOfModel.load({ parentId: model.id, page })),
    },
    { name: 'ModelVersionConnection' },
    { name: 'ModelVersionEdge' },
  ),
  latestVersion: t.field({
    type: ModelVersionType,
    nullable: true,
    description: 'The version with the highest number that is there; null when there is none.',
    resolve: async (model, _args, { loaders }) => {
      const page = { limit: 1, backward: false, from: null };
      return (await loaders.versionsOfModel.load({ parentId: model.id, page }))[0] ?? null;
    },
  }),
  aliases: t.field({
    type: [ModelAliasType],
    extensions: { listSize: 10 },
    description: 'All of them, by name; at most 100.',
    resolve: (model, _args, { loaders }) => loaders.aliasesOfModel.load(model.id),
  }),
}));

const ModelVersionKeyInput = builder.inputType('ModelVersionKeyInput', {
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true }),
    version: t.int({ required: true, description: 'The number, from 1.' }),
  }),
});

const ModelAliasKeyInput = builder.inputType('ModelAliasKeyInput', {
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true }),
    alias: t.string({ required: true }),
  }),
});

const ModelVersionByInput = builder.inputType('ModelVersionBy', {
  description: 'Which version of a registered model.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id(),
    key: t.field({ type: ModelVersionKeyInput }),
    alias: t.field({ type: ModelAliasKeyInput }),
  }),
});

builder.queryField('modelVersion', (t) =>
  t.field({
    type: ModelVersionType,
    nullable: true,
    description: 'One version of a registered model; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: ModelVersionByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => findVersion(by as ModelVersionBy, loaders),
  }),
);

const CreateModelVersionInput = builder.inputType('CreateModelVersionInput', {
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true }),
    source: t.string({
      required: true,
      description:
        "Where the model's bytes are: a file of the model's project (`slipway://blobs/…`) or an address elsewhere (`s3://…`, `gs://…`, `https://…`), at most 2048 characters, without a password.",
    }),
    execution: t.field({
      type: ExecutionByInput,
      description: 'What made it: an execution that you may read.',
    }),
    run: t.id({ description: 'The run that it came from: one that you may read.' }),
    description: t.string({ description: 'At most 5000 characters.' }),
    tags: t.field({ type: [LabelInput] }),
  }),
});

const UpdateModelVersionInput = builder.inputType('UpdateModelVersionInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    by: t.field({ type: ModelVersionByInput, required: true }),
    description: t.string(),
  }),
});

const SetModelVersionTagsInput = builder.inputType('SetModelVersionTagsInput', {
  fields: (t) => ({
    by: t.field({ type: ModelVersionByInput, required: true }),
    tags: t.field({
      type: [LabelInput],
      required: true,
      description: 'To add, or in place of those with the same keys; others stay.',
    }),
  }),
});

const DeleteModelVersionTagsInput = builder.inputType('DeleteModelVersionTagsInput', {
  fields: (t) => ({
    by: t.field({ type: ModelVersionByInput, required: true }),
    keys: t.stringList({ required: true, description: 'Keys that are not there are no fault.' }),
  }),
});

const DeleteModelVersionInput = builder.inputType('DeleteModelVersionInput', {
  fields: (t) => ({ by: t.field({ type: ModelVersionByInput, required: true }) }),
});

const SetModelAliasInput = builder.inputType('SetModelAliasInput', {
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true }),
    alias: t.string({
      required: true,
      description:
        'Letters, digits, hyphens, underscores and dots, at most 255; nothing that reads like a version, such as `v1` or `latest`.',
    }),
    version: t.int({ required: true, description: 'The number of the version to point at.' }),
  }),
});

const DeleteModelAliasInput = builder.inputType('DeleteModelAliasInput', {
  fields: (t) => ({
    model: t.field({ type: RegisteredModelByInput, required: true }),
    alias: t.string({ required: true }),
  }),
});

const versionPayload = (name: string) =>
  builder.objectRef<{ modelVersion: ModelVersionRow }>(name).implement({
    fields: (t) => ({
      modelVersion: t.field({ type: ModelVersionType, resolve: ({ modelVersion }) => modelVersion }),
    }),
  });
const CreateModelVersionPayload = versionPayload('CreateModelVersionPayload');
const UpdateModelVersionPayload = versionPayload('UpdateModelVersionPayload');
const SetModelVersionTagsPayload = versionPayload('SetModelVersionTagsPayload');
const DeleteModelVersionTagsPayload = versionPayload('DeleteModelVersionTagsPayload');
const DeleteModelVersionPayload = versionPayload('DeleteModelVersionPayload');
const SetModelAliasPayload = modelPayload('SetModelAliasPayload');
const DeleteModelAliasPayload = modelPayload('DeleteModelAliasPayload');

/** The one that the rule has judged, even if its alias has moved by now. */
async function addressed(by: object, { loaders }: Context): Promise<ModelVersionRow> {
  const version = await findVersion(by as ModelVersionBy, loaders);
  if (!version) throw new NotFoundError('model version', addressText(by), ['input', 'by']);
  return version;
}

/** What a command answers, with what the request knew of models forgotten. */
async function changed(work: Promise<ModelVersionRow>, { loaders }: Context) {
  try {
    return { modelVersion: await work };
  } finally {
    forgetModels(loaders);
  }
}

builder.mutationFields((t) => ({
  createModelVersion: t.field({
    type: CreateModelVersionPayload,
    nullable: true,
    description:
      'Adds a version to a registered model, with the next number. Needs EDIT on the model, and READ on the execution and run that it names.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: { input: t.arg({ type: CreateModelVersionInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const model = await addressedModel(input.model, context, ['input', 'model']);
      const version = createModelVersion(callerOf(context), {
        modelId: model.id,
        source: input.source,
        description: input.description ?? '',
        tags: labelsOf(input.tags ?? [], ['input', 'tags']),
        execution: (input.execution ?? null) as ExecutionBy | null,
        runId: input.run ?? null,
      });
      return await changed(version, context);
    },
  }),
  updateModelVersion: t.field({
    type: UpdateModelVersionPayload,
    nullable: true,
    description: 'Describes a version anew. Needs EDIT on its model.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: UpdateModelVersionInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const version = await addressed(input.by, context);
      return await changed(updateModelVersion(version, { description: input.description ?? null }), context);
    },
  }),
  setModelVersionTags: t.field({
    type: SetModelVersionTagsPayload,
    nullable: true,
    description: 'Adds or changes tags. Needs EDIT on its model.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: SetModelVersionTagsInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const tags = labelsOf(input.tags, ['input', 'tags']);
      return await changed(setModelVersionTags(await addressed(input.by, context), tags), context);
    },
  }),
  deleteModelVersionTags: t.field({
    type: DeleteModelVersionTagsPayload,
    nullable: true,
    description: 'Takes tags away. Needs MANAGE on its model, as in MLflow.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteModelVersionTagsInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(deleteModelVersionTags(await addressed(input.by, context), input.keys), context),
  }),
  deleteModelVersion: t.field({
    type: DeleteModelVersionPayload,
    nullable: true,
    description:
      'Ends a version for good, with the aliases that point at it. Its number is not given again. Needs MANAGE on its model.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteModelVersionInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(deleteModelVersion(await addressed(input.by, context)), context),
  }),
  setModelAlias: t.field({
    type: SetModelAliasPayload,
    nullable: true,
    description: 'Points an alias at a version, new or from another one. Needs EDIT.',
    errors: {
      types: [InvalidArgumentError, NotFoundError, FailedPreconditionError, ResourceExhaustedError],
    },
    args: { input: t.arg({ type: SetModelAliasInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.model, context, ['input', 'model']);
      return await changedModel(setModelAlias(id, input.alias, input.version), context);
    },
  }),
  deleteModelAlias: t.field({
    type: DeleteModelAliasPayload,
    nullable: true,
    description: 'Takes an alias away. Needs MANAGE, as in MLflow.',
    errors: { types: [NotFoundError, FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteModelAliasInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.model, context, ['input', 'model']);
      return await changedModel(deleteModelAlias(id, input.alias), context);
    },
  }),
}));

import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LabelInput, LabelType, labelEntries, labelsOf } from '../../graphql/labels.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import {
  createRegisteredModel,
  deletePermanently,
  deleteRegisteredModel,
  deleteRegisteredModelTags,
  publishRegisteredModel,
  restoreRegisteredModel,
  setRegisteredModelTags,
  unpublishRegisteredModel,
  updateRegisteredModel,
} from '../commands/registered-models.ts';
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
import { LifecycleFilterEnum, LifecycleStageEnum, stageOf } from './lifecycle.ts';

export const RegisteredModelType = builder.objectRef<RegisteredModelRow>('RegisteredModel').implement({
  description: 'A named line of versions of a model.',
  fields: (t) => ({
    id: t.exposeID('id'),
    project: t.field({
      type: ProjectType,
      nullable: true,
      resolve: guardedEdge(
        'project:read',
        (model, { loaders }) => loaders.project.load({ id: model.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.exposeString('project', {
      description: "The project's name, also for who may not read the project.",
    }),
    name: t.exposeString('name', { description: 'Unique in the project.' }),
    description: t.exposeString('description'),
    tags: t.field({
      type: [LabelType],
      extensions: { listSize: 10 },
      resolve: ({ tags }) => labelEntries(tags),
    }),
    stage: t.field({
      type: LifecycleStageEnum,
      resolve: ({ deletedAt }) => (deletedAt ? 'DELETED' : 'ACTIVE'),
    }),
    deletedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ deletedAt }) => deletedAt }),
    publicAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Since when every tenant may read it, and nobody change it; null while it is not public.',
      resolve: ({ publicAt }) => publicAt,
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

const RegisteredModelKeyInput = builder.inputType('RegisteredModelKeyInput', {
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    name: t.string({ required: true }),
  }),
});

export const RegisteredModelByInput = builder.inputType('RegisteredModelBy', {
  description: "Which registered model. Another tenant's public one is found by id.",
  isOneOf: true,
  fields: (t) => ({ id: t.id(), key: t.field({ type: RegisteredModelKeyInput }) }),
});

const RegisteredModelFilterInput = builder.inputType('RegisteredModelFilter', {
  fields: (t) => ({
    project: t.string({ description: "Only of the project of this identifier; else of all the tenant's." }),
    name: t.string({ description: 'Only names that begin so.' }),
    stage: t.field({ type: LifecycleFilterEnum, defaultValue: 'ACTIVE' }),
    public: t.boolean({
      description:
        "True: public ones, those of other tenants too; false: only the tenant's own that are not public; left out: the tenant's own, public or not.",
    }),
  }),
});

builder.queryFields((t) => ({
  registeredModel: t.field({
    type: RegisteredModelType,
    nullable: true,
    description: 'One registered model; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: RegisteredModelByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.registeredModel.load(by as RegisteredModelBy),
  }),
  registeredModels: t.connection(
    {
      type: RegisteredModelType,
      description: 'Registered models that you may read, newest first.',
      args: { filter: t.arg({ type: RegisteredModelFilterInput }) },
      resolve: async (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        const shown: RegisteredModelFilter = {
          projectId: await projectIdOf(filter?.project, context),
          name: filter?.name ?? null,
          stage: stageOf(filter?.stage),
          isPublic: filter?.public ?? null,
        };
        const connection = await pagedList(args, modelOrder, (page) =>
          listRegisteredModels(caller, shown, page),
        );
        return { ...connection, count: () => countRegisteredModels(caller, shown) };
      },
    },
    {
      name: 'RegisteredModelConnection',
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only when it is asked for.',
          resolve: (connection) => connection.count(),
        }),
      }),
    },
    { name: 'RegisteredModelEdge' },
  ),
}));

const CreateRegisteredModelInput = builder.inputType('CreateRegisteredModelInput', {
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    name: t.string({
      required: true,
      description:
        'Unique in the project; 1 to 255 characters without slashes, colons and control characters. Not those that begin with two underscores.',
    }),
    description: t.string({ description: 'At most 5000 characters.' }),
    tags: t.field({
      type: [LabelInput],
      description: 'At most 100; keys of 1 to 250 characters, values of at most 5000.',
    }),
  }),
});

const UpdateRegisteredModelInput = builder.inputType('UpdateRegisteredModelInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    by: t.field({ type: RegisteredModelByInput, required: true }),
    name: t.string({ description: 'A new name. Permissions stay.' }),
    description: t.string(),
  }),
});

const DeleteRegisteredModelInput = builder.inputType('DeleteRegisteredModelInput', {
  fields: (t) => ({
    by: t.field({ type: RegisteredModelByInput, required: true }),
    permanently: t.boolean({
      defaultValue: false,
      description:
        'For good, with its versions, aliases and permissions; its name is free again. Else it can be restored.',
    }),
  }),
});

const onlyBy = (name: string) =>
  builder.inputType(name, {
    fields: (t) => ({ by: t.field({ type: RegisteredModelByInput, required: true }) }),
  });
const RestoreRegisteredModelInput = onlyBy('RestoreRegisteredModelInput');
const PublishRegisteredModelInput = onlyBy('PublishRegisteredModelInput');
const UnpublishRegisteredModelInput = onlyBy('UnpublishRegisteredModelInput');

const SetRegisteredModelTagsInput = builder.inputType('SetRegisteredModelTagsInput', {
  fields: (t) => ({
    by: t.field({ type: RegisteredModelByInput, required: true }),
    tags: t.field({
      type: [LabelInput],
      required: true,
      description: 'To add, or in place of those with the same keys; others stay.',
    }),
  }),
});

const DeleteRegisteredModelTagsInput = builder.inputType('DeleteRegisteredModelTagsInput', {
  fields: (t) => ({
    by: t.field({ type: RegisteredModelByInput, required: true }),
    keys: t.stringList({ required: true, description: 'Keys that are not there are no fault.' }),
  }),
});

export const modelPayload = (name: string) =>
  builder.objectRef<{ registeredModel: RegisteredModelRow }>(name).implement({
    fields: (t) => ({
      registeredModel: t.field({
        type: RegisteredModelType,
        resolve: ({ registeredModel }) => registeredModel,
      }),
    }),
  });
const CreateRegisteredModelPayload = modelPayload('CreateRegisteredModelPayload');
const UpdateRegisteredModelPayload = modelPayload('UpdateRegisteredModelPayload');
const DeleteRegisteredModelPayload = modelPayload('DeleteRegisteredModelPayload');
const RestoreRegisteredModelPayload = modelPayload('RestoreRegisteredModelPayload');
const PublishRegisteredModelPayload = modelPayload('PublishRegisteredModelPayload');
const UnpublishRegisteredModelPayload = modelPayload('UnpublishRegisteredModelPayload');
const SetRegisteredModelTagsPayload = modelPayload('SetRegisteredModelTagsPayload');
const DeleteRegisteredModelTagsPayload = modelPayload('DeleteRegisteredModelTagsPayload');

/** The one that the rule has judged, even if its name is another's by now. */
export async function addressedModel(
  by: object,
  { loaders }: Context,
  path: readonly string[] = ['input', 'by'],
): Promise<RegisteredModelRow> {
  const model = await loaders.registeredModel.load(by as RegisteredModelBy);
  if (!model) throw new NotFoundError('registered model', addressText(by), path);
  return model;
}

/** What a command answers, with what the request knew of models forgotten. */
export async function changedModel(work: Promise<RegisteredModelRow>, { loaders }: Context) {
  try {
    return { registeredModel: await work };
  } finally {
    forgetModels(loaders);
  }
}

builder.mutationFields((t) => ({
  createRegisteredModel: t.field({
    type: CreateRegisteredModelPayload,
    nullable: true,
    description: "Makes a registered model; you manage it. Who may is the tenant's creation policy.",
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: { input: t.arg({ type: CreateRegisteredModelInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.project, context.loaders);
      const made = createRegisteredModel(callerOf(context), project, {
        name: input.name,
        description: input.description ?? '',
        tags: labelsOf(input.tags ?? [], ['input', 'tags']),
      });
      return await changedModel(made, context);
    },
  }),
  updateRegisteredModel: t.field({
    type: UpdateRegisteredModelPayload,
    nullable: true,
    description: 'Renames or describes a registered model. Needs EDIT.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
    args: { input: t.arg({ type: UpdateRegisteredModelInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { name = null, description = null } = input;
      const model = await addressedModel(input.by, context);
      const change = updateRegisteredModel(callerOf(context), model, { name, description });
      return await changedModel(change, context);
    },
  }),
  deleteRegisteredModel: t.field({
    type: DeleteRegisteredModelPayload,
    nullable: true,
    description: 'Puts a registered model away, or ends it for good. Needs MANAGE.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteRegisteredModelInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.by, context);
      const now = new Date();
      const deletion = input.permanently
        ? deletePermanently(callerOf(context), id, now)
        : deleteRegisteredModel(id, now);
      return await changedModel(deletion, context);
    },
  }),
  restoreRegisteredModel: t.field({
    type: RestoreRegisteredModelPayload,
    nullable: true,
    description: 'Brings a deleted registered model back. Needs MANAGE.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: RestoreRegisteredModelInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changedModel(restoreRegisteredModel((await addressedModel(input.by, context)).id), context),
  }),
  setRegisteredModelTags: t.field({
    type: SetRegisteredModelTagsPayload,
    nullable: true,
    description: 'Adds or changes tags. Needs EDIT.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: SetRegisteredModelTagsInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const tags = labelsOf(input.tags, ['input', 'tags']);
      const { id } = await addressedModel(input.by, context);
      return await changedModel(setRegisteredModelTags(id, tags), context);
    },
  }),
  deleteRegisteredModelTags: t.field({
    type: DeleteRegisteredModelTagsPayload,
    nullable: true,
    description: 'Takes tags away. Needs EDIT.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteRegisteredModelTagsInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.by, context);
      return await changedModel(deleteRegisteredModelTags(id, input.keys), context);
    },
  }),
  publishRegisteredModel: t.field({
    type: PublishRegisteredModelPayload,
    nullable: true,
    description:
      "Lets everyone of every tenant read a registered model, its versions, their files and its project's name. Until it is unpublished nobody may change it, whatever their level. Needs MANAGE.",
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: PublishRegisteredModelInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.by, context);
      return await changedModel(publishRegisteredModel(callerOf(context), id, new Date()), context);
    },
  }),
  unpublishRegisteredModel: t.field({
    type: UnpublishRegisteredModelPayload,
    nullable: true,
    description: "Ends that. Needs MANAGE; another tenant's registered model is NOT_FOUND.",
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: UnpublishRegisteredModelInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressedModel(input.by, context);
      return await changedModel(unpublishRegisteredModel(callerOf(context), id), context);
    },
  }),
}));

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
  createExperiment,
  deleteExperiment,
  deleteExperimentTags,
  publishExperiment,
  restoreExperiment,
  setExperimentTags,
  unpublishExperiment,
  updateExperiment,
} from '../commands/experiments.ts';
import { forgetExperiments } from '../experiment-loaders.ts';
import {
  countExperiments,
  type ExperimentBy,
  type ExperimentFilter,
  type ExperimentRow,
  experimentOrder,
  listExperiments,
} from '../store/experiments.ts';
import { LifecycleFilterEnum, LifecycleStageEnum, stageOf } from './lifecycle.ts';

export const ExperimentType = builder.objectRef<ExperimentRow>('Experiment').implement({
  description: 'Runs that are compared with one another.',
  fields: (t) => ({
    id: t.exposeID('id'),
    project: t.field({
      type: ProjectType,
      nullable: true,
      resolve: guardedEdge(
        'project:read',
        (experiment, { loaders }) => loaders.project.load({ id: experiment.projectId }),
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
    stage: t.field({ type: LifecycleStageEnum, resolve: ({ stage }) => stage }),
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

const ExperimentKeyInput = builder.inputType('ExperimentKeyInput', {
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    name: t.string({ required: true }),
  }),
});

export const ExperimentByInput = builder.inputType('ExperimentBy', {
  description: "Which experiment. Another tenant's public one is found by id.",
  isOneOf: true,
  fields: (t) => ({ id: t.id(), key: t.field({ type: ExperimentKeyInput }) }),
});

const ExperimentFilterInput = builder.inputType('ExperimentFilter', {
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
  experiment: t.field({
    type: ExperimentType,
    nullable: true,
    description: 'One experiment; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: ExperimentByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.experiment.load(by as ExperimentBy),
  }),
  experiments: t.connection(
    {
      type: ExperimentType,
      description: 'Experiments that you may read, newest first.',
      args: { filter: t.arg({ type: ExperimentFilterInput }) },
      resolve: async (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        const shown: ExperimentFilter = {
          projectId: await projectIdOf(filter?.project, context),
          name: filter?.name ?? null,
          stage: stageOf(filter?.stage),
          isPublic: filter?.public ?? null,
        };
        const connection = await pagedList(args, experimentOrder, (page) =>
          listExperiments(caller, shown, page),
        );
        return { ...connection, count: () => countExperiments(caller, shown) };
      },
    },
    {
      name: 'ExperimentConnection',
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only when it is asked for.',
          resolve: (connection) => connection.count(),
        }),
      }),
    },
    { name: 'ExperimentEdge' },
  ),
}));

/** The project that a filter names, which the rule has asked about; null where it names none. */
export async function projectIdOf(
  identifier: string | null | undefined,
  { loaders }: Context,
): Promise<string | null> {
  if (identifier == null) return null;
  return (await getProject(identifier, loaders)).id;
}

const CreateExperimentInput = builder.inputType('CreateExperimentInput', {
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    name: t.string({
      required: true,
      description:
        'Unique in the project; 1 to 255 characters, none of them control characters. Not those that begin with two underscores.',
    }),
    description: t.string({ description: 'At most 5000 characters.' }),
    tags: t.field({
      type: [LabelInput],
      description: 'At most 100; keys of 1 to 250 characters, values of at most 5000.',
    }),
  }),
});

const UpdateExperimentInput = builder.inputType('UpdateExperimentInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    by: t.field({ type: ExperimentByInput, required: true }),
    name: t.string({ description: 'A new name. Permissions stay.' }),
    description: t.string(),
  }),
});

const onlyBy = (name: string) =>
  builder.inputType(name, {
    fields: (t) => ({ by: t.field({ type: ExperimentByInput, required: true }) }),
  });
const DeleteExperimentInput = onlyBy('DeleteExperimentInput');
const RestoreExperimentInput = onlyBy('RestoreExperimentInput');
const PublishExperimentInput = onlyBy('PublishExperimentInput');
const UnpublishExperimentInput = onlyBy('UnpublishExperimentInput');

const SetExperimentTagsInput = builder.inputType('SetExperimentTagsInput', {
  fields: (t) => ({
    by: t.field({ type: ExperimentByInput, required: true }),
    tags: t.field({
      type: [LabelInput],
      required: true,
      description: 'To add, or in place of those with the same keys; others stay.',
    }),
  }),
});

const DeleteExperimentTagsInput = builder.inputType('DeleteExperimentTagsInput', {
  fields: (t) => ({
    by: t.field({ type: ExperimentByInput, required: true }),
    keys: t.stringList({ required: true, description: 'Keys that are not there are no fault.' }),
  }),
});

const payload = (name: string) =>
  builder.objectRef<{ experiment: ExperimentRow }>(name).implement({
    fields: (t) => ({
      experiment: t.field({ type: ExperimentType, resolve: ({ experiment }) => experiment }),
    }),
  });
const CreateExperimentPayload = payload('CreateExperimentPayload');
const UpdateExperimentPayload = payload('UpdateExperimentPayload');
const DeleteExperimentPayload = payload('DeleteExperimentPayload');
const RestoreExperimentPayload = payload('RestoreExperimentPayload');
const PublishExperimentPayload = payload('PublishExperimentPayload');
const UnpublishExperimentPayload = payload('UnpublishExperimentPayload');
const SetExperimentTagsPayload = payload('SetExperimentTagsPayload');
const DeleteExperimentTagsPayload = payload('DeleteExperimentTagsPayload');

/** The one that the rule has judged, even if its name is another's by now. */
async function addressed(by: object, { loaders }: Context): Promise<ExperimentRow> {
  const experiment = await loaders.experiment.load(by as ExperimentBy);
  if (!experiment) throw new NotFoundError('experiment', addressText(by), ['input', 'by']);
  return experiment;
}

/** What a command answers, with what the request knew of experiments forgotten. */
async function changed(work: Promise<ExperimentRow>, { loaders }: Context) {
  try {
    return { experiment: await work };
  } finally {
    forgetExperiments(loaders);
  }
}

builder.mutationFields((t) => ({
  createExperiment: t.field({
    type: CreateExperimentPayload,
    nullable: true,
    description: "Makes an experiment; you manage it. Who may is the tenant's creation policy.",
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: { input: t.arg({ type: CreateExperimentInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.project, context.loaders);
      const made = createExperiment(callerOf(context), project, {
        name: input.name,
        description: input.description ?? '',
        tags: labelsOf(input.tags ?? [], ['input', 'tags']),
      });
      return await changed(made, context);
    },
  }),
  updateExperiment: t.field({
    type: UpdateExperimentPayload,
    nullable: true,
    description: 'Renames or describes an experiment. Needs EDIT.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
    args: { input: t.arg({ type: UpdateExperimentInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { name = null, description = null } = input;
      const experiment = await addressed(input.by, context);
      return await changed(updateExperiment(callerOf(context), experiment, { name, description }), context);
    },
  }),
  deleteExperiment: t.field({
    type: DeleteExperimentPayload,
    nullable: true,
    description:
      'Puts an experiment away, with its runs; permissions stay, and so does its name. Needs MANAGE.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteExperimentInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(deleteExperiment((await addressed(input.by, context)).id, new Date()), context),
  }),
  restoreExperiment: t.field({
    type: RestoreExperimentPayload,
    nullable: true,
    description: 'Brings a deleted experiment back. Needs MANAGE.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: RestoreExperimentInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(restoreExperiment((await addressed(input.by, context)).id), context),
  }),
  setExperimentTags: t.field({
    type: SetExperimentTagsPayload,
    nullable: true,
    description: 'Adds or changes tags. Needs EDIT.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: SetExperimentTagsInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const tags = labelsOf(input.tags, ['input', 'tags']);
      return await changed(setExperimentTags((await addressed(input.by, context)).id, tags), context);
    },
  }),
  deleteExperimentTags: t.field({
    type: DeleteExperimentTagsPayload,
    nullable: true,
    description: 'Takes tags away. Needs EDIT.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteExperimentTagsInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(deleteExperimentTags((await addressed(input.by, context)).id, input.keys), context),
  }),
  publishExperiment: t.field({
    type: PublishExperimentPayload,
    nullable: true,
    description:
      "Lets everyone of every tenant read an experiment, its runs and its project's name. Until it is unpublished nobody may change it, whatever their level. Needs MANAGE.",
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: PublishExperimentInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressed(input.by, context);
      return await changed(publishExperiment(callerOf(context), id, new Date()), context);
    },
  }),
  unpublishExperiment: t.field({
    type: UnpublishExperimentPayload,
    nullable: true,
    description: "Ends that. Needs MANAGE; another tenant's experiment is NOT_FOUND.",
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: UnpublishExperimentInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const { id } = await addressed(input.by, context);
      return await changed(unpublishExperiment(callerOf(context), id), context);
    },
  }),
}));

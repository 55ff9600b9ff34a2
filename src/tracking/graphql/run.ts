import { isAllowed } from '../../authorization/can.ts';
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
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { deleteRun, deleteRunTags, restoreRun, setRunTags, updateRun } from '../commands/change-run.ts';
import { createRun } from '../commands/create-run.ts';
import { experimentTarget } from '../domain/experiment-targets.ts';
import { forgetExperiments } from '../experiment-loaders.ts';
import type { ExperimentBy } from '../store/experiments.ts';
import { countRuns, listRuns, type RunFilter, type RunRow, runOrder } from '../store/runs.ts';
import { ExperimentByInput, ExperimentType } from './experiment.ts';
import { LifecycleFilterEnum, LifecycleStageEnum, stageOf } from './lifecycle.ts';

/** Experiments that one list of runs may be over. */
const MAX_EXPERIMENTS = 1000;

export const RunType = builder.objectRef<RunRow>('Run').implement({
  description: 'One trial of an experiment. Who may read the experiment may read it.',
  fields: (t) => ({
    id: t.exposeID('id'),
    experiment: t.field({
      type: ExperimentType,
      nullable: true,
      resolve: guardedEdge(
        'experiment:read',
        (run, { loaders }) => loaders.experiment.load({ id: run.experimentId }),
        experimentTarget,
      ),
    }),
    execution: t.field({
      type: ExecutionType,
      nullable: true,
      description: 'What did the work; null for none, and for one that is hidden.',
      resolve: guardedEdge(
        'execution:read',
        (run, { loaders }) => (run.executionId ? loaders.execution.load({ id: run.executionId }) : null),
        executionTarget,
      ),
    }),
    name: t.exposeString('name', { description: 'Need not be unique.' }),
    tags: t.field({
      type: [LabelType],
      extensions: { listSize: 10 },
      resolve: ({ tags }) => labelEntries(tags),
    }),
    stage: t.field({ type: LifecycleStageEnum, resolve: ({ stage }) => stage }),
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

builder.objectField(ExperimentType, 'runs', (t) =>
  t.connection(
    {
      type: RunType,
      nullable: true,
      description: "Its runs, newest first; null for a credential whose scopes do not name 'run:read'.",
      args: { stage: t.arg({ type: LifecycleFilterEnum, defaultValue: 'ACTIVE' }) },
      resolve: async (experiment, { stage, ...args }, context) => {
        const target = async () => experimentTarget(experiment);
        if (!(await isAllowed(callerOf(context), 'run:read', { target }))) return null;
        return await pagedList(args, runOrder, (page) =>
          context.loaders.runsOfExperiment.load({
            parentId: experiment.id,
            page: { ...page, stage: stageOf(stage) },
          }),
        );
      },
    },
    { name: 'ExperimentRunConnection' },
    { name: 'ExperimentRunEdge' },
  ),
);

const RunFilterInput = builder.inputType('RunFilter', {
  fields: (t) => ({
    experiments: t.idList({
      required: true,
      description: `At most ${MAX_EXPERIMENTS}. Those that are absent or hidden are left out without a word.`,
    }),
    stage: t.field({ type: LifecycleFilterEnum, defaultValue: 'ACTIVE' }),
  }),
});

builder.queryFields((t) => ({
  run: t.field({
    type: RunType,
    nullable: true,
    description: 'One run; null with NOT_FOUND when it is absent or hidden.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { loaders }) => loaders.run.load(id),
  }),
  runs: t.connection(
    {
      type: RunType,
      description: 'Runs of some experiments, newest first.',
      args: { filter: t.arg({ type: RunFilterInput, required: true }) },
      resolve: async (_root, { filter, ...args }, context) => {
        const { experiments: experimentIds } = filter;
        if (experimentIds.length > MAX_EXPERIMENTS)
          throw InvalidArgumentError.of(
            ['filter', 'experiments'],
            `more than ${MAX_EXPERIMENTS} experiments`,
          );
        const shown: RunFilter = { experimentIds, stage: stageOf(filter.stage) };
        const caller = callerOf(context);
        const connection = await pagedList(args, runOrder, (page) => listRuns(caller, shown, page));
        return { ...connection, count: () => countRuns(caller, shown) };
      },
    },
    {
      name: 'RunConnection',
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only when it is asked for.',
          resolve: (connection) => connection.count(),
        }),
      }),
    },
    { name: 'RunEdge' },
  ),
}));

const CreateRunInput = builder.inputType('CreateRunInput', {
  fields: (t) => ({
    experiment: t.field({ type: ExperimentByInput, required: true }),
    name: t.string({ description: '1 to 255 characters; made up when left out.' }),
    execution: t.field({
      type: ExecutionByInput,
      description: 'What does the work: an execution that you may read.',
    }),
    tags: t.field({ type: [LabelInput] }),
  }),
});

const UpdateRunInput = builder.inputType('UpdateRunInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({ id: t.id({ required: true }), name: t.string() }),
});

const onlyId = (name: string) =>
  builder.inputType(name, { fields: (t) => ({ id: t.id({ required: true }) }) });
const DeleteRunInput = onlyId('DeleteRunInput');
const RestoreRunInput = onlyId('RestoreRunInput');

const SetRunTagsInput = builder.inputType('SetRunTagsInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    tags: t.field({
      type: [LabelInput],
      required: true,
      description: 'To add, or in place of those with the same keys; others stay.',
    }),
  }),
});

const DeleteRunTagsInput = builder.inputType('DeleteRunTagsInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    keys: t.stringList({ required: true, description: 'Keys that are not there are no fault.' }),
  }),
});

const payload = (name: string) =>
  builder.objectRef<{ run: RunRow }>(name).implement({
    fields: (t) => ({ run: t.field({ type: RunType, resolve: ({ run }) => run }) }),
  });
const CreateRunPayload = payload('CreateRunPayload');
const UpdateRunPayload = payload('UpdateRunPayload');
const DeleteRunPayload = payload('DeleteRunPayload');
const RestoreRunPayload = payload('RestoreRunPayload');
const SetRunTagsPayload = payload('SetRunTagsPayload');
const DeleteRunTagsPayload = payload('DeleteRunTagsPayload');

async function addressed(id: string, { loaders }: Context): Promise<RunRow> {
  const run = await loaders.run.load(id);
  if (!run) throw new NotFoundError('run', id, ['input', 'id']);
  return run;
}

/** What a command answers, with what the request knew of experiments and runs forgotten. */
async function changed(work: Promise<RunRow>, { loaders }: Context) {
  try {
    return { run: await work };
  } finally {
    forgetExperiments(loaders);
  }
}

builder.mutationFields((t) => ({
  createRun: t.field({
    type: CreateRunPayload,
    nullable: true,
    description: 'Makes a run in an experiment. Needs EDIT on the experiment, and READ on the execution.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: { input: t.arg({ type: CreateRunInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const experiment = await context.loaders.experiment.load(input.experiment as ExperimentBy);
      if (!experiment)
        throw new NotFoundError('experiment', addressText(input.experiment), ['input', 'experiment']);
      const run = createRun(callerOf(context), {
        experimentId: experiment.id,
        name: input.name ?? null,
        execution: (input.execution ?? null) as ExecutionBy | null,
        tags: labelsOf(input.tags ?? [], ['input', 'tags']),
      });
      return await changed(run, context);
    },
  }),
  updateRun: t.field({
    type: UpdateRunPayload,
    nullable: true,
    description: 'Renames a run. Needs EDIT on its experiment.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: UpdateRunInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(updateRun(await addressed(input.id, context), { name: input.name ?? null }), context),
  }),
  deleteRun: t.field({
    type: DeleteRunPayload,
    nullable: true,
    description: 'Puts a run away. Needs MANAGE on its experiment.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteRunInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(deleteRun(await addressed(input.id, context)), context),
  }),
  restoreRun: t.field({
    type: RestoreRunPayload,
    nullable: true,
    description: 'Brings a deleted run back. Needs MANAGE on its experiment.',
    errors: { types: [FailedPreconditionError] },
    args: { input: t.arg({ type: RestoreRunInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(restoreRun(await addressed(input.id, context)), context),
  }),
  setRunTags: t.field({
    type: SetRunTagsPayload,
    nullable: true,
    description: 'Adds or changes tags. Needs EDIT on its experiment.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: SetRunTagsInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const tags = labelsOf(input.tags, ['input', 'tags']);
      return await changed(setRunTags(await addressed(input.id, context), tags), context);
    },
  }),
  deleteRunTags: t.field({
    type: DeleteRunTagsPayload,
    nullable: true,
    description: 'Takes tags away. Needs EDIT on its experiment.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: { input: t.arg({ type: DeleteRunTagsInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      await changed(deleteRunTags(await addressed(input.id, context), input.keys), context),
  }),
}));

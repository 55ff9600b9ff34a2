import { isAllowed } from '../../authorization/can.ts';
import { executionTarget } from '../../executions/domain/targets.ts';
import { ExecutionByInput, ExecutionType } from '../../executions/graphql/execution.ts';
import type { ExecutionBy } from '../../executions/store/reads.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, type ById, byId, inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { deleteRun, deleteRunTags, restoreRun, updateRun, updateRunTags } from '../commands/change-run.ts';
import { createRun } from '../commands/create-run.ts';
import { experimentTarget } from '../domain/experiment-targets.ts';
import { forgetExperiments } from '../experiment-loaders.ts';
import type { ExperimentBy } from '../store/experiments.ts';
import { countRuns, listRuns, type RunFilter, type RunRow, runOrder } from '../store/runs.ts';
import { ExperimentByInput, ExperimentType } from './experiment.ts';
import { LifecycleFilterEnum, LifecycleStageEnum, stageOf } from './lifecycle.ts';

/** How many experiments one list of runs may cover. */
const MAX_EXPERIMENTS = 1000;

export const RunType = builder.objectRef<RunRow>('Run').implement({
  description: 'One trial of an experiment. Everybody who may read the experiment may read it.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `run` finds the run by it.',
    }),
    experiment: t.field({
      type: ExperimentType,
      nullable: true,
      description: 'The experiment of the run; null if your scopes do not include `experiment:read`.',
      resolve: guardedEdge(
        'experiment:read',
        (run, { loaders }) => loaders.experiment.load({ id: run.experimentId }),
        experimentTarget,
      ),
    }),
    execution: t.field({
      type: ExecutionType,
      nullable: true,
      description: 'The execution that did the work; null if there is none, or if it is hidden from you.',
      resolve: guardedEdge(
        'execution:read',
        (run, { loaders }) => (run.executionId ? loaders.execution.load({ id: run.executionId }) : null),
        executionTarget,
      ),
    }),
    name: t.exposeString('name', { description: 'The name for people. It need not be unique.' }),
    tags: t.field({
      type: [KeyValueType],
      extensions: { listSize: 10 },
      description: 'Its tags, at most 100.',
      resolve: ({ tags }) => entriesOf(tags),
    }),
    stage: t.expose('stage', { type: LifecycleStageEnum, description: 'Whether the run is deleted.' }),
    createdBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who created the run.',
      resolve: ({ createdById }, _args, { loaders }) => loaders.publicUser.load(createdById),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the run was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the run last changed.' }),
  }),
});

export const RunByInput = byId('RunByInput', 'a run');

const RunConnection = connectionType(RunType);

builder.objectField(ExperimentType, 'runs', (t) =>
  t.connection(
    {
      type: RunType,
      nullable: true,
      description: 'The runs of the experiment, newest first; null if your scopes do not include `run:read`.',
      args: {
        stage: t.arg({
          type: LifecycleFilterEnum,
          defaultValue: 'ACTIVE',
          description: 'Only runs in this stage.',
        }),
      },
      resolve: async (experiment, { stage: filter, ...args }, context) => {
        const target = async () => experimentTarget(experiment);
        if (!(await isAllowed(callerOf(context), 'run:read', { target }))) return null;
        const { runsOfExperiment, runCount } = context.loaders;
        const { id: parentId } = experiment;
        const stage = stageOf(filter);
        return await pagedList(
          args,
          runOrder,
          (page) => runsOfExperiment.load({ parentId, page: { ...page, stage } }),
          () => runCount.load(parentId, stage),
        );
      },
    },
    RunConnection,
  ),
);

const RunFilterInput = builder.inputType('RunFilterInput', {
  description: 'Which runs a list shows: the runs that meet all of these conditions.',
  fields: (t) => ({
    experimentIds: t.idList({
      required: true,
      description: `Only runs of the experiments with these ids, at most ${MAX_EXPERIMENTS}. Ids of experiments that do not exist or are hidden from you are ignored.`,
    }),
    stage: t.field({
      type: LifecycleFilterEnum,
      defaultValue: 'ACTIVE',
      description: 'Only runs in this stage.',
    }),
  }),
});

builder.queryFields((t) => ({
  run: t.field({
    type: RunType,
    nullable: true,
    description: 'One run. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(RunByInput, 'run'),
    resolve: (_root, { by }, { loaders }) => loaders.run.load((by as ById).id),
  }),
  runs: t.connection(
    {
      type: RunType,
      description: 'The runs of some experiments that you may read, newest first.',
      args: { filter: t.arg({ type: RunFilterInput, required: true, description: 'Which runs to list.' }) },
      resolve: (_root, { filter, ...args }, context) => {
        const { experimentIds } = filter;
        if (experimentIds.length > MAX_EXPERIMENTS)
          throw InvalidArgumentError.of(
            ['filter', 'experimentIds'],
            `must have at most ${MAX_EXPERIMENTS} experiments`,
          );
        const shown: RunFilter = { experimentIds, stage: stageOf(filter.stage) };
        const caller = callerOf(context);
        return pagedList(
          args,
          runOrder,
          (page) => listRuns(caller, shown, page),
          () => countRuns(caller, shown),
        );
      },
    },
    RunConnection,
  ),
}));

const CreateRunInput = builder.inputType('CreateRunInput', {
  description: 'A run to create.',
  fields: (t) => ({
    experiment: t.field({
      type: ExperimentByInput,
      required: true,
      description: 'The experiment that the run belongs to.',
    }),
    name: t.string({
      description: 'The name for people, 1 to 255 characters. If left out, the server chooses a name.',
    }),
    execution: t.field({
      type: ExecutionByInput,
      description: 'The execution that does the work. Requires READ on it.',
    }),
    tags: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'At most 100 tags, with keys of 1 to 250 characters and values of at most 5000.',
    }),
  }),
});

const byRun = { type: RunByInput, required: true, description: 'Which run.' } as const;

const UpdateRunInput = builder.inputType('UpdateRunInput', {
  description: 'The changes of a run. Fields that are left out do not change.',
  fields: (t) => ({
    by: t.field(byRun),
    name: t.string({ description: 'The new name, 1 to 255 characters.' }),
  }),
});

const onlyBy = (verb: string) =>
  builder.inputType(`${verb}RunInput`, {
    description: `A run to ${verb.toLowerCase()}.`,
    fields: (t) => ({ by: t.field(byRun) }),
  });

const UpdateRunTagsInput = builder.inputType('UpdateRunTagsInput', {
  description: 'Tags to add to a run.',
  fields: (t) => ({
    by: t.field(byRun),
    tags: t.field({
      type: [KeyValueInput],
      required: true,
      description:
        'The tags to add. A tag replaces an existing tag with the same key. Other tags do not change.',
    }),
  }),
});

const DeleteRunTagsInput = builder.inputType('DeleteRunTagsInput', {
  description: 'Tags to remove from a run.',
  fields: (t) => ({
    by: t.field(byRun),
    keys: t.stringList({
      required: true,
      description: 'The keys of the tags. Keys that do not exist are ignored.',
    }),
  }),
});

const runPayload = (name: `${string}Payload`) => payload(name, 'run', RunType);

async function addressed(by: object, { loaders }: Context): Promise<RunRow> {
  const { id } = by as ById;
  const run = await loaders.run.load(id);
  if (!run) throw new NotFoundError('run', id, ['input', 'by']);
  return run;
}

/** The answer of a command. It also clears what the request has cached about experiments and runs. */
async function changed(work: Promise<RunRow>, { loaders }: Context) {
  try {
    return { run: await work };
  } finally {
    forgetExperiments(loaders);
  }
}

builder.mutationFields((t) => ({
  createRun: t.field({
    type: runPayload('CreateRunPayload'),
    nullable: true,
    description:
      'Creates a run in an experiment. Requires EDIT on the experiment, and READ on the execution.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(CreateRunInput),
    resolve: async (_root, { input }, context) => {
      const experiment = await context.loaders.experiment.load(input.experiment as ExperimentBy);
      if (!experiment)
        throw new NotFoundError('experiment', addressText(input.experiment), ['input', 'experiment']);
      const run = createRun(callerOf(context), {
        experimentId: experiment.id,
        name: input.name ?? null,
        execution: (input.execution ?? null) as ExecutionBy | null,
        tags: mapOf(input.tags ?? [], ['input', 'tags']),
      });
      return await changed(run, context);
    },
  }),
  updateRun: t.field({
    type: runPayload('UpdateRunPayload'),
    nullable: true,
    description: 'Renames a run. Requires EDIT on its experiment.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(UpdateRunInput),
    resolve: async (_root, { input }, context) =>
      await changed(updateRun(await addressed(input.by, context), { name: input.name ?? null }), context),
  }),
  deleteRun: t.field({
    type: runPayload('DeleteRunPayload'),
    nullable: true,
    description: 'Deletes a run. Requires MANAGE on its experiment. `restoreRun` restores it.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(onlyBy('Delete')),
    resolve: async (_root, { input }, context) =>
      await changed(deleteRun(await addressed(input.by, context)), context),
  }),
  restoreRun: t.field({
    type: runPayload('RestoreRunPayload'),
    nullable: true,
    description: 'Restores a deleted run. Requires MANAGE on its experiment.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(onlyBy('Restore')),
    resolve: async (_root, { input }, context) =>
      await changed(restoreRun(await addressed(input.by, context)), context),
  }),
  updateRunTags: t.field({
    type: runPayload('UpdateRunTagsPayload'),
    nullable: true,
    description: 'Adds tags to a run, or changes their values. Requires EDIT on its experiment.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(UpdateRunTagsInput),
    resolve: async (_root, { input }, context) => {
      const tags = mapOf(input.tags, ['input', 'tags']);
      return await changed(updateRunTags(await addressed(input.by, context), tags), context);
    },
  }),
  deleteRunTags: t.field({
    type: runPayload('DeleteRunTagsPayload'),
    nullable: true,
    description: 'Removes tags from a run. Requires EDIT on its experiment.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(DeleteRunTagsInput),
    resolve: async (_root, { input }, context) =>
      await changed(deleteRunTags(await addressed(input.by, context), input.keys), context),
  }),
}));

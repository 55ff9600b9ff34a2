import { noteReadable } from '../../authorization/can.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { guardedList } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { NO_ID } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { experiments } from '../commands/experiments.ts';
import { experimentTarget } from '../domain/experiment-targets.ts';
import { forgetExperiments } from '../experiment-loaders.ts';
import {
  countExperiments,
  type ExperimentBy,
  type ExperimentFilter,
  type ExperimentRow,
  experimentOrder,
  listExperiments,
} from '../store/experiments.ts';
import { LifecycleFilterEnum, LifecycleStageEnum, offerLifecycle, stageOf, trackedBy } from './lifecycle.ts';

export const ExperimentType = builder.objectRef<ExperimentRow>('Experiment').implement({
  description: 'An experiment: a collection of runs to compare with each other.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    stage: t.expose('stage', { type: LifecycleStageEnum, description: 'Whether the experiment is deleted.' }),
  }),
});

export const ExperimentByInput = trackedBy('Experiment', 'an experiment');

const { addressed, changed, onlyBy, payloadOf } = offerLifecycle({
  field: 'experiment',
  name: 'Experiment',
  words: 'experiment',
  contents: 'its runs',
  nameForm:
    'The name, unique in the project: 1 to 255 characters without control characters. Names that begin with two underscores are reserved.',
  type: ExperimentType,
  by: ExperimentByInput,
  commands: experiments,
  find: (by, { experiment }) => experiment.load(by),
  forget: forgetExperiments,
});

const ExperimentConnection = connectionType(ExperimentType);

const ExperimentFilterInput = builder.inputType('ExperimentFilterInput', {
  description: 'Which experiments a list shows: the experiments that meet all of these conditions.',
  fields: (t) => ({
    project: t.string({
      description:
        'Only experiments in the project with this identifier. If left out: in all projects of the tenant.',
    }),
    namePrefix: t.string({ description: 'Only experiments whose names begin with this text.' }),
    stage: t.field({
      type: LifecycleFilterEnum,
      defaultValue: 'ACTIVE',
      description: 'Only experiments in this stage.',
    }),
    public: t.boolean({
      description:
        'True: only public experiments, also of other tenants. False: only private experiments of your tenant. If left out: all experiments of your tenant.',
    }),
  }),
});

const listArguments = builder.args((t) => ({
  filter: t.field({
    type: ExperimentFilterInput,
    description: 'Which experiments to list. If left out: the active ones.',
  }),
}));

interface ListArguments extends PageArguments {
  readonly filter?: typeof ExperimentFilterInput.$inferInput | null;
}

const filterOf = async ({ filter }: ListArguments, context: Context): Promise<ExperimentFilter> => ({
  projectId: await projectIdOf(filter?.project, context),
  name: filter?.namePrefix ?? null,
  stage: stageOf(filter?.stage),
  isPublic: filter?.public ?? null,
});

builder.objectField(ProjectType, 'experiments', (t) =>
  t.connection(
    {
      type: ExperimentType,
      nullable: true,
      description:
        'The experiments of the project that you may read, newest first; null if your scopes do not include `experiment:read`.',
      args: listArguments,
      resolve: guardedList(
        'experiment:read',
        projectTarget,
        ({ loaders }) => loaders.experimentsOfProject,
        () => experimentOrder,
        filterOf,
      ),
    },
    ExperimentConnection,
  ),
);

builder.queryFields((t) => ({
  experiment: t.field({
    type: ExperimentType,
    nullable: true,
    description: 'One experiment. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(ExperimentByInput, 'experiment'),
    resolve: (_root, { by }, { loaders }) => loaders.experiment.load(by as ExperimentBy),
  }),
  experiments: t.connection(
    {
      type: ExperimentType,
      description: 'The experiments that you may read, newest first.',
      args: listArguments,
      resolve: async (_root, args, context) => {
        const caller = callerOf(context);
        const shown = await filterOf(args, context);
        return await pagedList(
          args,
          experimentOrder,
          async (page) => noteReadable(caller, await listExperiments(caller, shown, page), experimentTarget),
          () => countExperiments(caller, shown),
        );
      },
    },
    ExperimentConnection,
  ),
}));

/** The project in a filter; null if the filter has none. An absent project contains nothing. */
export async function projectIdOf(
  identifier: string | null | undefined,
  { loaders }: Context,
): Promise<string | null> {
  if (identifier == null) return null;
  return (await loaders.project.load({ identifier }))?.id ?? NO_ID;
}

builder.mutationField('deleteExperiment', (t) =>
  t.field({
    type: payloadOf('Delete'),
    nullable: true,
    description:
      'Deletes an experiment with its runs. Requires MANAGE on the experiment. `restoreExperiment` restores it. It keeps its name and its grants.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(onlyBy('Delete')),
    resolve: async (_root, { input }, context) => {
      const { id } = await addressed(input.by, context);
      return await changed(experiments.remove(id, new Date()), context);
    },
  }),
);

import { callerOf } from '../graphql/context.ts';
import { can, type Finder, type RootRules, ruleBy } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { ofProject } from '../projects/rules.ts';
import { experimentTarget, runTarget } from './domain/experiment-targets.ts';
import { type ExperimentBy, hasReadableExperiment } from './store/experiments.ts';

const ofExperiment = (by: (args: never) => ExperimentBy): Finder => ({
  kind: 'experiment',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => {
    const experiment = await loaders.experiment.load(by(args as never));
    return experiment && experimentTarget(experiment);
  },
});

const ofExperimentBy = ofExperiment(({ by }: { by: ExperimentBy }) => by);
const ofInputBy = ofExperiment(({ input }: { input: { by: ExperimentBy } }) => input.by);

/**
 * An object as its own tenant sees it, as if it were not public. Publishing and unpublishing are decided on this. For a
 * public object of another tenant the answer is NOT_FOUND. In its own tenant, a caller with READ is told that the level
 * is too low.
 */
export const asOwned = (finder: Finder): Finder => ({
  ...finder,
  async target(args, context) {
    const target = await finder.target(args, context);
    return target && { ...target, isPublic: false };
  },
  async within(_target, args, context) {
    const target = await finder.target(args, context);
    return target?.isPublic === true && target.tenantId === callerOf(context).tenantId;
  },
});

const ofRun = (id: (args: never) => string): Finder => ({
  kind: 'run',
  key: (args) => id(args as never),
  target: async (args, { loaders }) => {
    const run = await loaders.run.load(id(args as never));
    return run && runTarget(run);
  },
});
const ofInputRun = ofRun(({ input }: { input: { by: { id: string } } }) => input.by.id);

interface ListArguments {
  readonly filter?: { readonly project?: string | null } | null;
}

/** A list within a project needs READ on the project, or on something inside of it. */
const inProject = can('experiment:read', {
  ...ofProject(({ filter }: ListArguments) => filter?.project ?? ''),
  within: (target, _args, context) =>
    hasReadableExperiment(callerOf(context), target?.resources[0]?.id ?? null),
});
const inTenant = can('experiment:list');
const inFilter = ruleBy(({ filter }: ListArguments) => (filter?.project == null ? inTenant : inProject));

export const experimentRules: RootRules = {
  Query: {
    experiment: can('experiment:read', ofExperimentBy),
    experiments: inFilter,
    run: can(
      'run:read',
      ofRun(({ by }: { by: { id: string } }) => by.id),
    ),
    runs: can('run:list'),
  },
  Mutation: {
    createExperiment: can(
      'experiment:create',
      ofProject(({ input }: { input: { project: string } }) => input.project),
    ),
    updateExperiment: can('experiment:update', ofInputBy),
    deleteExperiment: can('experiment:delete', ofInputBy),
    restoreExperiment: can('experiment:delete', ofInputBy),
    updateExperimentTags: can('experiment:update', ofInputBy),
    deleteExperimentTags: can('experiment:update', ofInputBy),
    publishExperiment: can('experiment:publish', asOwned(ofInputBy)),
    unpublishExperiment: can('experiment:publish', asOwned(ofInputBy)),
    createRun: can(
      'run:create',
      ofExperiment(({ input }: { input: { experiment: ExperimentBy } }) => input.experiment),
    ),
    updateRun: can('run:update', ofInputRun),
    deleteRun: can('run:delete', ofInputRun),
    restoreRun: can('run:delete', ofInputRun),
    updateRunTags: can('run:update', ofInputRun),
    deleteRunTags: can('run:update', ofInputRun),
  },
};

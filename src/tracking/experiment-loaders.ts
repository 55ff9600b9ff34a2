import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import { addressLoader, childCounter, childLoader, listLoader } from '../platform/loaders.ts';
import {
  type ExperimentBy,
  type ExperimentRow,
  experimentsOfProjects,
  readExperiments,
} from './store/experiments.ts';
import {
  countRunsOfExperiments,
  type RunPage,
  type RunRow,
  readRuns,
  readRunsOfExperiments,
} from './store/runs.ts';

export function experimentLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    experimentsOfProject: listLoader(experimentsOfProjects(reader)),
    experiment: addressLoader<ExperimentBy, ExperimentRow | null>((addresses) =>
      readExperiments(tenantId, addresses),
    ),
    run: new DataLoader<string, RunRow | null>((ids) => readRuns(tenantId, ids)),
    runsOfExperiment: childLoader<RunPage, RunRow>(readRunsOfExperiments, (row) => row.experimentId),
    runCount: childCounter(countRunsOfExperiments),
  };
}

type ExperimentLoaders = ReturnType<typeof experimentLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ExperimentLoaders {}
}

/** Call this after a change, so that the rest of the request reads again. */
export function forgetExperiments({ experiment, run, runsOfExperiment, runCount }: ExperimentLoaders): void {
  experiment.clearAll();
  run.clearAll();
  runsOfExperiment.clearAll();
  runCount.clearAll();
}

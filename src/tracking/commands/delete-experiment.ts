import { FailedPreconditionError } from '../../platform/errors.ts';
import type { ExperimentRow } from '../store/experiments.ts';
import {
  changeExperiment,
  requireChangeableExperiment,
  requirePrivateExperiment,
} from './change-experiment.ts';

/**
 * Puts an experiment away. It keeps its runs, its grants and its name, and can be restored.
 *
 * @throws FailedPreconditionError when it is deleted already. Source: access.md §1.6.
 */
export async function deleteExperiment(id: string): Promise<ExperimentRow> {
  return await changeExperiment(id, (experiment) => {
    requireChangeableExperiment(experiment);
    return { stage: 'DELETED' };
  });
}

/** @throws FailedPreconditionError when it is not deleted. */
export async function restoreExperiment(id: string): Promise<ExperimentRow> {
  return await changeExperiment(id, (experiment) => {
    requirePrivateExperiment(experiment);
    if (experiment.stage === 'ACTIVE')
      throw new FailedPreconditionError('the experiment is not deleted', { current: 'ACTIVE' });
    return { stage: 'ACTIVE' };
  });
}

import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import type { ExperimentRow } from '../store/experiments.ts';
import { changeExperiment, requireChangeableExperiment } from './change-experiment.ts';

/**
 * Lets everyone of every tenant read an experiment and its runs; meanwhile nobody may change them, its owner neither.
 *
 * @throws FailedPreconditionError when it is public already, or deleted. Source: access.md §2.8, ClearML's set public.
 */
export async function publishExperiment(caller: Caller, id: string, now: Date): Promise<ExperimentRow> {
  return await setPublic(caller, id, (experiment) => {
    if (experiment.publicAt)
      throw new FailedPreconditionError('the experiment is public already', { current: 'PUBLIC' });
    requireChangeableExperiment(experiment);
    return now;
  });
}

/** Ends that. @throws FailedPreconditionError when it is not public. */
export async function unpublishExperiment(caller: Caller, id: string): Promise<ExperimentRow> {
  return await setPublic(caller, id, (experiment) => {
    if (!experiment.publicAt)
      throw new FailedPreconditionError('the experiment is not public', { current: 'PRIVATE' });
    return null;
  });
}

async function setPublic(
  caller: Caller,
  id: string,
  judge: (experiment: ExperimentRow) => Date | null,
): Promise<ExperimentRow> {
  return await changeExperiment(
    id,
    (experiment) => ({ publicAt: judge(experiment) }),
    async (tx, { tenantId, name, publicAt: was }) => {
      await recordChange(tx, caller, {
        action: 'experiment:publish',
        target: { type: 'experiment', id, name },
        before: { isPublic: was !== null },
        after: { isPublic: was === null },
        tenantId,
      });
      await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
    },
  );
}

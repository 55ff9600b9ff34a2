import type { Prisma } from '../../generated/prisma/client.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { experimentTarget } from '../domain/experiment-targets.ts';
import { requireChangeable } from '../domain/lifecycle.ts';
import { nameProblems } from '../domain/texts.ts';
import { type ExperimentRow, lockExperiment, readExperiments } from '../store/experiments.ts';
import { lifecycleOf } from './lifecycle.ts';

export const experiments = lifecycleOf<ExperimentRow, Prisma.ExperimentUncheckedUpdateInput>({
  name: 'experiment',
  resourceType: 'EXPERIMENT',
  publish: 'experiment:publish',
  targetOf: experimentTarget,
  nameProblems,
  isDeleted: ({ stage }) => stage === 'DELETED',
  deletion: (at) => ({ stage: at ? 'DELETED' : 'ACTIVE' }),
  find: async (tenantId, key) => (await readExperiments(tenantId, [{ key }]))[0] ?? null,
  lock: (tx, id) => lockExperiment(tx, id, 'change'),
  insert: async (tx, data, project) => ({ ...(await tx.experiment.create({ data })), ...project }),
  update: (tx, id, data) => tx.experiment.update({ where: { id }, data }),
});

/**
 * Locks an experiment in order to change some of its runs. Other transactions may change other runs at the same time.
 *
 * @throws NotFoundError; PermissionDeniedError while it is public; FailedPreconditionError while it is deleted.
 */
export async function lockForRuns(tx: Tx, id: string): Promise<ExperimentRow> {
  const experiment = await lockExperiment(tx, id, 'use');
  if (!experiment) throw new NotFoundError('experiment', id);
  const { stage, publicAt } = experiment;
  requireChangeable('experiment', { isDeleted: stage === 'DELETED', publicAt });
  return experiment;
}

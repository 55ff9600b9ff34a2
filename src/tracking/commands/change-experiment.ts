import type { Prisma } from '../../generated/prisma/client.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { requireChangeable, requirePrivate } from '../domain/lifecycle.ts';
import { type ExperimentRow, lockExperiment } from '../store/experiments.ts';

export type ExperimentData = Prisma.ExperimentUncheckedUpdateInput;

/**
 * Changes one experiment, which stays locked from judging to commit.
 *
 * @param judge  what to write; throws where the experiment as it stands forbids it.
 * @param record  what else belongs into the transaction.
 * @throws NotFoundError when it is gone.
 */
export async function changeExperiment(
  id: string,
  judge: (experiment: ExperimentRow) => ExperimentData,
  record?: (tx: Tx, experiment: ExperimentRow) => Promise<void>,
): Promise<ExperimentRow> {
  return await inTransaction(async (tx) => {
    const experiment = await lockExperiment(tx, id, 'change');
    if (!experiment) throw new NotFoundError('experiment', id);
    const changed = await tx.experiment.update({ where: { id }, data: judge(experiment) });
    await record?.(tx, experiment);
    return { ...experiment, ...changed };
  });
}

/** Locks the experiment that a run is in or shall be in, for a change of its runs. */
export async function lockChangeable(tx: Tx, experimentId: string): Promise<ExperimentRow> {
  const experiment = await lockExperiment(tx, experimentId, 'use');
  if (!experiment) throw new NotFoundError('experiment', experimentId);
  requireChangeableExperiment(experiment);
  return experiment;
}

/** @throws PermissionDeniedError while it is public, FailedPreconditionError while it is deleted. */
export const requireChangeableExperiment = ({ stage, publicAt }: ExperimentRow): void =>
  requireChangeable('experiment', { isDeleted: stage === 'DELETED', publicAt });

/** @throws PermissionDeniedError while it is public. */
export const requirePrivateExperiment = (experiment: ExperimentRow): void =>
  requirePrivate('experiment', experiment);

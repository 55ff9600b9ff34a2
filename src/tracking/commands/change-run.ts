import type { Prisma } from '../../generated/prisma/client.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  requireChanges,
} from '../../platform/errors.ts';
import { type Tags, tagProblems, tagsWith, tagsWithout } from '../domain/tags.ts';
import { nameProblems } from '../domain/texts.ts';
import { lockRun, type RunRow } from '../store/runs.ts';
import { lockForRuns } from './experiments.ts';

/** The changes of an existing run. All of them throw FailedPreconditionError while its experiment is deleted. */

export async function updateRun(run: RunRow, { name }: { name: string | null }): Promise<RunRow> {
  requireChanges(name !== null);
  const problems = name === null ? [] : nameProblems(name);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await changeRun(run, (locked) => {
    requireActive(locked);
    return { name: name ?? locked.name };
  });
}

/** Deletes a run. It can be restored. @throws FailedPreconditionError if it is already deleted. */
export async function deleteRun(run: RunRow): Promise<RunRow> {
  return await changeRun(run, (locked) => {
    requireActive(locked);
    return { stage: 'DELETED' };
  });
}

/** @throws FailedPreconditionError if it is not deleted. */
export async function restoreRun(run: RunRow): Promise<RunRow> {
  return await changeRun(run, ({ stage }) => {
    if (stage === 'ACTIVE')
      throw new FailedPreconditionError('the run is not deleted', { current: 'ACTIVE' });
    return { stage: 'ACTIVE' };
  });
}

/** Adds tags, or changes existing ones. */
export async function updateRunTags(run: RunRow, tags: Tags): Promise<RunRow> {
  requireChanges(Object.keys(tags).length > 0);
  const problems = tagProblems(tags);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await changeRun(run, (locked) => {
    requireActive(locked);
    return { tags: tagsWith(locked.tags, tags) };
  });
}

/** Removes tags. Keys that do not exist are ignored. */
export async function deleteRunTags(run: RunRow, keys: readonly string[]): Promise<RunRow> {
  requireChanges(keys.length > 0);
  return await changeRun(run, (locked) => {
    requireActive(locked);
    return { tags: tagsWithout(locked.tags, keys) };
  });
}

async function changeRun(
  { id, experimentId }: RunRow,
  judge: (run: RunRow) => Prisma.ExperimentRunUncheckedUpdateInput,
): Promise<RunRow> {
  return await inTransaction(async (tx) => {
    await lockForRuns(tx, experimentId);
    const locked = await lockRun(tx, id);
    if (!locked) throw new NotFoundError('run', id);
    return { ...locked, ...(await tx.experimentRun.update({ where: { id }, data: judge(locked) })) };
  });
}

function requireActive({ stage }: RunRow): void {
  if (stage === 'DELETED') throw new FailedPreconditionError('the run is deleted', { current: 'DELETED' });
}

import type { Prisma } from '../../generated/prisma/client.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, requireChanges } from '../../platform/errors.ts';
import { type Tags, tagProblems, tagsWith, tagsWithout } from '../domain/tags.ts';
import { descriptionProblems } from '../domain/texts.ts';
import { lockModelVersion, type ModelVersionRow } from '../store/versions.ts';
import { registeredModels } from './registered-models.ts';

/** The changes of an existing version. All of them throw FailedPreconditionError while its model is deleted. */

export async function updateModelVersion(
  version: ModelVersionRow,
  { description }: { description: string | null },
): Promise<ModelVersionRow> {
  requireChanges(description !== null);
  const problems = description === null ? [] : descriptionProblems(description);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await changeVersion(version, (locked) => ({ description: description ?? locked.description }));
}

/** Adds tags, or changes existing ones. */
export async function updateModelVersionTags(version: ModelVersionRow, tags: Tags): Promise<ModelVersionRow> {
  requireChanges(Object.keys(tags).length > 0);
  const problems = tagProblems(tags);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await changeVersion(version, (locked) => ({ tags: tagsWith(locked.tags, tags) }));
}

/** Removes tags. Keys that do not exist are ignored. */
export async function deleteModelVersionTags(
  version: ModelVersionRow,
  keys: readonly string[],
): Promise<ModelVersionRow> {
  requireChanges(keys.length > 0);
  return await changeVersion(version, (locked) => ({ tags: tagsWithout(locked.tags, keys) }));
}

/** Deletes a version permanently, and the aliases that point to it. Its number is not used again. */
export async function deleteModelVersion(version: ModelVersionRow): Promise<ModelVersionRow> {
  return await inTransaction(async (tx) => {
    const locked = await lockVersion(tx, version);
    await tx.modelVersion.delete({ where: { id: locked.id } });
    return locked;
  });
}

async function changeVersion(
  version: ModelVersionRow,
  judge: (version: ModelVersionRow) => Prisma.ModelVersionUncheckedUpdateInput,
): Promise<ModelVersionRow> {
  return await inTransaction(async (tx) => {
    const locked = await lockVersion(tx, version);
    const changed = await tx.modelVersion.update({ where: { id: locked.id }, data: judge(locked) });
    return { ...locked, ...changed };
  });
}

async function lockVersion(tx: Tx, { id, modelId }: ModelVersionRow): Promise<ModelVersionRow> {
  await registeredModels.lockChangeable(tx, modelId);
  const locked = await lockModelVersion(tx, id);
  if (!locked) throw new NotFoundError('model version', id);
  return locked;
}

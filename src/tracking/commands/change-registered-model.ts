import type { Prisma } from '../../generated/prisma/client.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { requireChangeable, requirePrivate } from '../domain/lifecycle.ts';
import { lockRegisteredModel, type RegisteredModelRow } from '../store/models.ts';

/**
 * Changes one model, which stays locked from judging to commit.
 *
 * @param judge  what to write; throws where the model as it stands forbids it.
 * @param record  what else belongs into the transaction.
 * @throws NotFoundError when it is gone.
 */
export async function changeRegisteredModel(
  id: string,
  judge: (model: RegisteredModelRow) => Prisma.RegisteredModelUncheckedUpdateInput,
  record?: (tx: Tx, model: RegisteredModelRow) => Promise<void>,
): Promise<RegisteredModelRow> {
  return await inTransaction(async (tx) => {
    const model = await lockRegisteredModel(tx, id);
    if (!model) throw new NotFoundError('registered model', id);
    const changed = await tx.registeredModel.update({ where: { id }, data: judge(model) });
    await record?.(tx, model);
    return { ...model, ...changed };
  });
}

/** Locks the model whose versions or aliases are to be changed. */
export async function lockChangeableModel(tx: Tx, id: string): Promise<RegisteredModelRow> {
  const model = await lockRegisteredModel(tx, id);
  if (!model) throw new NotFoundError('registered model', id);
  requireChangeableModel(model);
  return model;
}

/** @throws PermissionDeniedError while it is public, FailedPreconditionError while it is deleted. */
export const requireChangeableModel = ({ deletedAt, publicAt }: RegisteredModelRow): void =>
  requireChangeable('registered model', { isDeleted: deletedAt !== null, publicAt });

/** @throws PermissionDeniedError while it is public. */
export const requirePrivateModel = (model: RegisteredModelRow): void =>
  requirePrivate('registered model', model);

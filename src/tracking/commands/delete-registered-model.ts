import { recordChange } from '../../authorization/audit.ts';
import { forgetGrants } from '../../authorization/granted.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { dropGrants } from '../../authorization/store/grants.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import { lockRegisteredModel, type RegisteredModelRow } from '../store/models.ts';
import {
  changeRegisteredModel,
  requireChangeableModel,
  requirePrivateModel,
} from './change-registered-model.ts';

/**
 * Puts a model away. It keeps its versions, its grants and its name, and can be restored.
 *
 * @throws FailedPreconditionError when it is deleted already. Source: access.md §1.6.
 */
export async function deleteRegisteredModel(id: string, now: Date): Promise<RegisteredModelRow> {
  return await changeRegisteredModel(id, (model) => {
    requireChangeableModel(model);
    return { deletedAt: now };
  });
}

/** @throws FailedPreconditionError when it is not deleted. */
export async function restoreRegisteredModel(id: string): Promise<RegisteredModelRow> {
  return await changeRegisteredModel(id, (model) => {
    requirePrivateModel(model);
    if (!model.deletedAt)
      throw new FailedPreconditionError('the registered model is not deleted', { current: 'ACTIVE' });
    return { deletedAt: null };
  });
}

/**
 * Ends a model for good, put away before or not: its versions, its aliases and everybody's grants on it go with it, so
 * that the next model of that name starts clean.
 *
 * @returns the model as it was, deleted now. Source: access.md §1.6, and what it tells of MLflow's.
 */
export async function deletePermanently(caller: Caller, id: string, now: Date): Promise<RegisteredModelRow> {
  const gone = await inTransaction(async (tx) => {
    const model = await lockRegisteredModel(tx, id);
    if (!model) throw new NotFoundError('registered model', id);
    requirePrivateModel(model);
    const { tenantId, name, project } = model;
    await tx.registeredModel.delete({ where: { id } });
    await dropGrants(tx, tenantId, { type: 'REGISTERED_MODEL', id });
    await recordChange(tx, caller, {
      action: 'model:delete',
      target: { type: 'registered_model', id, name },
      before: { project, name, lastVersion: model.lastVersion },
      tenantId,
    });
    await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
    return { ...model, deletedAt: model.deletedAt ?? now };
  });
  forgetGrants(caller);
  return gone;
}

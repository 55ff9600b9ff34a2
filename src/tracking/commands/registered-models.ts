import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { dropGrants } from '../../authorization/store/grant-levels.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { requirePrivate } from '../domain/lifecycle.ts';
import { registeredModelTarget } from '../domain/model-targets.ts';
import { modelNameProblems } from '../domain/model-texts.ts';
import { lockRegisteredModel, type RegisteredModelRow, readRegisteredModels } from '../store/models.ts';
import { lifecycleOf } from './lifecycle.ts';

export const registeredModels = lifecycleOf<RegisteredModelRow, Prisma.RegisteredModelUncheckedUpdateInput>({
  name: 'registered model',
  resourceType: 'REGISTERED_MODEL',
  publish: 'model:publish',
  targetOf: registeredModelTarget,
  nameProblems: modelNameProblems,
  isDeleted: ({ deletedAt }) => deletedAt !== null,
  deletion: (deletedAt) => ({ deletedAt }),
  find: async (tenantId, key) => (await readRegisteredModels(tenantId, [{ key }]))[0] ?? null,
  lock: lockRegisteredModel,
  insert: async (tx, data, project) => ({ ...(await tx.registeredModel.create({ data })), ...project }),
  update: (tx, id, data) => tx.registeredModel.update({ where: { id }, data }),
});

/**
 * Deletes a model permanently, whether or not it was deleted before, with its versions, its aliases and all grants on
 * it. So the next model with this name has none of them.
 *
 * @returns the model before its deletion, with the time of the deletion. Source: MLflow's delete registered model.
 */
export async function deletePermanently(caller: Caller, id: string, now: Date): Promise<RegisteredModelRow> {
  const gone = await inTransaction(async (tx) => {
    const model = await lockRegisteredModel(tx, id);
    if (!model) throw new NotFoundError('registered model', id);
    requirePrivate('registered model', model);
    const { tenantId, name, project } = model;
    await tx.registeredModel.delete({ where: { id } });
    await dropGrants(tx, tenantId, { type: 'REGISTERED_MODEL', id });
    await recordChange(tx, caller, {
      action: 'model:delete',
      target: { type: 'registered model', id, name },
      before: { project, name, lastVersion: model.lastVersion },
      tenantId,
    });
    await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
    return { ...model, deletedAt: model.deletedAt ?? now };
  });
  forgetGrants(caller);
  return gone;
}

import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import type { RegisteredModelRow } from '../store/models.ts';
import { changeRegisteredModel, requireChangeableModel } from './change-registered-model.ts';

/**
 * Lets everyone of every tenant read a model, its versions and their files; meanwhile nobody may change them, its owner
 * neither.
 *
 * @throws FailedPreconditionError when it is public already, or deleted. Source: access.md §2.8, ClearML's set public.
 */
export async function publishRegisteredModel(
  caller: Caller,
  id: string,
  now: Date,
): Promise<RegisteredModelRow> {
  return await setPublic(caller, id, (model) => {
    if (model.publicAt)
      throw new FailedPreconditionError('the registered model is public already', { current: 'PUBLIC' });
    requireChangeableModel(model);
    return now;
  });
}

/** Ends that. @throws FailedPreconditionError when it is not public. */
export async function unpublishRegisteredModel(caller: Caller, id: string): Promise<RegisteredModelRow> {
  return await setPublic(caller, id, (model) => {
    if (!model.publicAt)
      throw new FailedPreconditionError('the registered model is not public', { current: 'PRIVATE' });
    return null;
  });
}

async function setPublic(
  caller: Caller,
  id: string,
  judge: (model: RegisteredModelRow) => Date | null,
): Promise<RegisteredModelRow> {
  return await changeRegisteredModel(
    id,
    (model) => ({ publicAt: judge(model) }),
    async (tx, { tenantId, name, publicAt: was }) => {
      await recordChange(tx, caller, {
        action: 'model:publish',
        target: { type: 'registered_model', id, name },
        before: { isPublic: was !== null },
        after: { isPublic: was === null },
        tenantId,
      });
      await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
    },
  );
}

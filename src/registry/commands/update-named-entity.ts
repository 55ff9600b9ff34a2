import { recordChange } from '../../authorization/audit.ts';
import type { EntityState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, requireChanges } from '../../platform/errors.ts';
import { lockNamedEntity, type NamedEntityRow } from '../store/named-entities.ts';

const MAX_DESCRIPTION = 300;

/** Undefined means no change. An empty description clears it. */
export interface NamedEntityChanges {
  readonly description?: string | undefined;
  readonly state?: EntityState | undefined;
}

/**
 * Describes the name of a task, workflow or launch plan, or changes its state. The state is only for lists: versions of
 * an archived name can still be registered, launched and scheduled.
 *
 * @throws InvalidArgumentError for a description that is too long, or if there are no changes. Source: Flyte's
 * UpdateNamedEntity, which always writes the state and cannot clear a description.
 */
export async function updateNamedEntity(
  caller: Caller,
  entity: NamedEntityRow,
  { description, state }: NamedEntityChanges,
): Promise<NamedEntityRow> {
  requireChanges(description !== undefined || state !== undefined);
  if (description !== undefined && description.length > MAX_DESCRIPTION)
    throw InvalidArgumentError.of(
      ['input', 'description'],
      `must have at most ${MAX_DESCRIPTION} characters`,
    );
  const { id, type, name } = entity;
  return await inTransaction(async (tx) => {
    const before = await lockNamedEntity(tx, id);
    if (!before) throw new NotFoundError('named entity', id, ['input', 'by']);
    const after = { description: description ?? before.description, state: state ?? before.state };
    if (after.description === before.description && after.state === before.state)
      return { ...entity, ...before };
    const { updatedAt } = await tx.namedEntity.update({ where: { id }, data: after });
    await recordChange(tx, caller, {
      action: 'namedEntity:update',
      target: { type: 'named entity', id, name },
      before: { type, ...before },
      after: { type, ...after },
    });
    return { ...entity, ...after, updatedAt };
  });
}

import { recordChange } from '../../authorization/audit.ts';
import type { Project } from '../../generated/prisma/client.ts';
import type { MatchableResource } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { auditedChange } from '../audited-change.ts';
import type { Scope } from '../domain/scopes.ts';
import { requireOpenScope } from '../open-scope.ts';
import { type AttributesRecord, deleteExact } from '../store.ts';

/**
 * Deletes the record of exactly this scope; records of narrower scopes stay.
 *
 * @returns the record; null if there was none, which is not an error.
 * @throws InvalidArgumentError as `requireOpenScope` does. Source: Flyte's DeleteProjectDomainAttributes and its like;
 * Flyte can delete records of narrower scopes, too.
 */
export async function deleteAttributes(
  caller: Caller,
  project: Project,
  scope: Scope,
  resourceType: MatchableResource,
): Promise<AttributesRecord | null> {
  requireOpenScope(project, scope);
  return await inTransaction(async (tx) => {
    const before = await deleteExact(tx, caller.tenantId, scope, resourceType);
    if (before) await recordChange(tx, caller, auditedChange(project, scope, { before, after: null }));
    return before;
  });
}

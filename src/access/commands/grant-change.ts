import { recordChange } from '../../authorization/audit.ts';
import type { GrantResource } from '../../authorization/domain/decision.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { GrantKey, SubjectId } from '../../authorization/store/grant-rows.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { kindOf } from '../../platform/object-kinds.ts';

/** Whose permission on what, both found in the caller's tenant. */
export interface GrantAddress {
  readonly subject: SubjectId & { readonly name: string };
  /** `name` is null for all of a type and for the tenant. */
  readonly resource: GrantResource & { readonly name: string | null };
}

export const keyOf = (caller: Caller, { subject, resource }: GrantAddress): GrantKey => ({
  tenantId: caller.tenantId,
  subject,
  resource,
});

/** `of ann on the project penguins`, for messages. */
export function grantText({ subject, resource }: GrantAddress): string {
  const what = resource.type === 'TENANT' ? 'the tenant' : `all of type ${kindOf[resource.type]}`;
  return `of ${subject.name} on ${resource.id === null ? what : `the ${kindOf[resource.type]} ${resource.name}`}`;
}

/** What follows every write of a row, in its transaction and last in it: the audit log, and word to every process. */
export async function recordGrantChange(
  tx: Tx,
  caller: Caller,
  action: 'permission:grant' | 'permission:update' | 'permission:revoke',
  { subject, resource }: GrantAddress,
  levels: { readonly before: Level | null; readonly after: Level | null },
): Promise<void> {
  const who =
    'userId' in subject
      ? { user: { id: subject.userId, username: subject.name } }
      : { group: { id: subject.groupId, name: subject.name } };
  const at = (level: Level | null) => (level ? { ...who, level } : null);
  await recordChange(tx, caller, {
    action,
    target: { type: kindOf[resource.type], id: resource.id, name: resource.name ?? '*' },
    before: at(levels.before),
    after: at(levels.after),
  });
  const userId = 'userId' in subject ? subject.userId : null;
  await recordAccessChange(tx, { tenantId: caller.tenantId, userId, kind: 'GRANT' });
}

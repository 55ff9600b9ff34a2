import { recordChange } from '../../authorization/audit.ts';
import type { GrantResource } from '../../authorization/domain/decision.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { GrantKey, SubjectId } from '../../authorization/store/grant-rows.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { kindOf } from '../../platform/object-kinds.ts';

/** The subject and the resource of a grant, both in the caller's tenant. */
export interface GrantAddress {
  readonly subject: SubjectId & { readonly name: string };
  /** `name` is null for all resources of a type and for the tenant. */
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

/** A grant after a write, or the deleted grant, and its levels before and after the write. */
interface Written {
  readonly grant: Grant;
  readonly before: Level | null;
  readonly after: Level | null;
}

/** The common part of all writes of a grant: the transaction, the audit log, and the message to every process. */
export async function changeGrant(
  caller: Caller,
  action: 'permission:grant' | 'permission:update' | 'permission:revoke',
  address: GrantAddress,
  write: (tx: Tx, key: GrantKey) => Promise<Written>,
): Promise<Grant> {
  const { tenantId } = caller;
  const { subject, resource } = address;
  const [userId, who] =
    'userId' in subject
      ? [subject.userId, { user: { id: subject.userId, username: subject.name } }]
      : [null, { group: { id: subject.groupId, name: subject.name } }];
  const withLevel = (level: Level | null) => (level ? { ...who, level } : null);
  const grant = await inTransaction(async (tx) => {
    const written = await write(tx, keyOf(caller, address));
    await recordChange(tx, caller, {
      action,
      target: { type: kindOf[resource.type], id: resource.id, name: resource.name ?? '*' },
      before: withLevel(written.before),
      after: withLevel(written.after),
    });
    await recordAccessChange(tx, { tenantId, userId, kind: 'GRANT' });
    return written.grant;
  });
  forgetGrants(caller);
  return grant;
}

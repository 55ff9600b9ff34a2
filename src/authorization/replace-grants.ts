import type { Level } from '../generated/prisma/enums.ts';
import type { Caller } from '../platform/caller.ts';
import { isForeignKeyViolation } from '../platform/database/failures.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { kindOf } from '../platform/object-kinds.ts';
import { recordChanges } from './audit.ts';
import type { Resource } from './domain/resources.ts';
import { recordAccessChange } from './store/changes.ts';
import { deleteGrants, putGrants, type SubjectId } from './store/grant-rows.ts';

/** A level of one user or group, with the name of this user or group. */
export interface NamedGrant {
  readonly subject: SubjectId & { readonly name: string };
  readonly level: Level;
}

/** What must happen to the grants of a resource so that others take their place. */
export interface GrantChanges {
  /** New grants, and grants with a new level. */
  readonly put: readonly (NamedGrant & { readonly before: Level | null })[];
  readonly revoked: readonly NamedGrant[];
}

export const subjectKey = ({ subject }: { readonly subject: SubjectId }): string =>
  'userId' in subject ? `user ${subject.userId}` : `group ${subject.groupId}`;

/** How the grants of a resource become exactly these. */
export function grantChanges(current: readonly NamedGrant[], wanted: readonly NamedGrant[]): GrantChanges {
  const before = new Map(current.map((grant) => [subjectKey(grant), grant.level]));
  const kept = new Set(wanted.map(subjectKey));
  return {
    put: wanted.flatMap((grant) => {
      const level = before.get(subjectKey(grant)) ?? null;
      return level === grant.level ? [] : [{ ...grant, before: level }];
    }),
    revoked: current.filter((grant) => !kept.has(subjectKey(grant))),
  };
}

/**
 * Changes several grants of one resource, with the audit log and the message to every process. Call this last in the
 * transaction, and forget the caller's own grants after it.
 *
 * @throws InvalidArgumentError if a user or group was deleted in the meantime.
 */
export async function changeGrants(
  tx: Tx,
  caller: Caller,
  { type, id, name }: Resource & { readonly name: string },
  { put, revoked }: GrantChanges,
): Promise<void> {
  if (put.length === 0 && revoked.length === 0) return;
  const { tenantId } = caller;
  const resource = { type, id };
  try {
    await putGrants(tx, tenantId, resource, put);
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    const message = 'a user or group that the input names was deleted in the meantime';
    throw InvalidArgumentError.of(['input'], message, 'NotFound');
  }
  await deleteGrants(
    tx,
    tenantId,
    resource,
    revoked.map(({ subject }) => subject),
  );
  const target = { type: kindOf[type], id, name };
  await recordChanges(tx, caller, [
    ...put.map(({ subject, level, before }) => ({
      action: before ? 'permission:update' : 'permission:grant',
      target,
      before: before && stateOf(subject, before),
      after: stateOf(subject, level),
    })),
    ...revoked.map(({ subject, level }) => ({
      action: 'permission:revoke',
      target,
      before: stateOf(subject, level),
    })),
  ]);
  const subjects = [...put, ...revoked].map(({ subject }) => subject);
  const [only] = subjects;
  const userId = subjects.length === 1 && only && 'userId' in only ? only.userId : null;
  await recordAccessChange(tx, { tenantId, userId, kind: 'GRANT' });
}

function stateOf(subject: NamedGrant['subject'], level: Level): object {
  return 'userId' in subject
    ? { user: { id: subject.userId, username: subject.name }, level }
    : { group: { id: subject.groupId, name: subject.name }, level };
}

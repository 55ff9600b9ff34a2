import type { Role } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

export interface KeyOwner {
  readonly id: string;
  readonly tenantId: string;
  readonly username: string;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly isServiceAccount: boolean;
}

const lockOwnerStatement = statement<KeyOwner>(
  `select id, tenant_id as "tenantId", username, role::text as role, disabled_at is not null as "isDisabled",
          kind = 'SERVICE_ACCOUNT' as "isServiceAccount"
     from users where id = $1::uuid for no key update`,
);

/** Locks a user, so that nobody else creates or changes its access keys until the transaction ends. */
export async function lockKeyOwner(tx: Tx, userId: string): Promise<KeyOwner | null> {
  const [row] = await run(lockOwnerStatement, [userId], tx);
  return row ?? null;
}

const keyUsesStatement = statement<Record<string, never>>(
  `update credentials as credential set last_used_at = used.at, last_used_from = used."from"
     from jsonb_to_recordset($1::jsonb) as used("credentialId" uuid, at timestamptz, "from" text)
    where credential.id = used."credentialId"
      and (credential.last_used_at is null or credential.last_used_at <= used.at - interval '1 minute')`,
);

export interface KeyUse {
  readonly credentialId: string;
  readonly at: Date;
  readonly from: string | null;
}

/** Stores the last use of access keys, for each key at most once a minute, whichever server saw it. */
export async function storeKeyUses(uses: readonly KeyUse[]): Promise<void> {
  await run(keyUsesStatement, [JSON.stringify(uses)]);
}

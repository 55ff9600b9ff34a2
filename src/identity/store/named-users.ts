import { run, statement } from '../../platform/database/statement.ts';
import { nameKey } from '../../platform/text.ts';

/** A user, as a name finds it, active or not. */
export interface NamedUser {
  readonly userId: string;
  readonly isActive: boolean;
  readonly isServiceAccount: boolean;
  /** The outside issuer or realm of the user; null for a user who was created here. */
  readonly outsideSource: string | null;
}

const namedStatement = statement<NamedUser>(
  `select account.id as "userId", account.disabled_at is null as "isActive",
          account.kind = 'SERVICE_ACCOUNT' as "isServiceAccount",
          account.outside_source as "outsideSource"
     from users as account join tenants as tenant on tenant.id = account.tenant_id
    where tenant.name_key = $1 and account.username_key = $2`,
);

export async function findNamedUser(tenant: string, usernameKey: string): Promise<NamedUser | null> {
  const [row] = await run(namedStatement, [nameKey(tenant), usernameKey]);
  return row ?? null;
}

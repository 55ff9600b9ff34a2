import type { CreationPolicy, Level, Role } from '../generated/prisma/enums.ts';
import { config } from '../platform/config.ts';
import { run, statement } from '../platform/database/statement.ts';

/** What a request needs to know of who signed in. */
export interface Principal {
  readonly userId: string;
  readonly tenantId: string;
  readonly username: string;
  readonly role: Role;
  readonly version: number;
  readonly defaultLevel: Level;
  readonly defaultFrom: 'USER' | 'TENANT' | 'SERVER';
  readonly creationPolicy: CreationPolicy;
  /** Of the access key that signed in; empty for no such limit. */
  readonly scopes: readonly string[];
  /** The access key's end. */
  readonly credentialExpiresAt: Date | null;
}

const principalStatement = statement<Principal>(
  'find_principal',
  `select account.id as "userId", account.tenant_id as "tenantId", account.username, account.role::text as role,
          account.version,
          coalesce(account.default_level, tenant.default_level, '${config.defaultLevel}')::text as "defaultLevel",
          case when account.default_level is not null then 'USER' when tenant.default_level is not null then 'TENANT'
               else 'SERVER' end as "defaultFrom",
          tenant.creation_policy::text as "creationPolicy",
          coalesce(to_jsonb(credential.scopes), '[]') as scopes, credential.expires_at as "credentialExpiresAt"
     from users as account
     join tenants as tenant on tenant.id = account.tenant_id
     left join credentials as credential
       on credential.id = $2::uuid and credential.user_id = account.id and credential.revoked_at is null
      and (credential.expires_at is null or credential.expires_at > now())
    where account.id = $1::uuid and account.disabled_at is null and ($2::uuid is null or credential.id is not null)`,
);

export async function readPrincipal(userId: string, credentialId: string | null): Promise<Principal | null> {
  const [row] = await run(principalStatement, [userId, credentialId]);
  return row ?? null;
}

const passwordStatement = statement<{ userId: string; passwordHash: string | null }>(
  'find_password_user',
  `select id as "userId", password_hash as "passwordHash" from users
    where username_key = $1 and disabled_at is null limit 2`,
);

/** The active user of that name; null when there is none, or when two tenants have one. */
export async function findPasswordUser(usernameKey: string) {
  const rows = await run(passwordStatement, [usernameKey]);
  return rows.length === 1 ? (rows[0] ?? null) : null;
}

const accessKeyStatement = statement<{ userId: string; credentialId: string; secretHash: Buffer }>(
  'find_access_key',
  `select user_id as "userId", id as "credentialId", secret_hash as "secretHash" from credentials
    where access_key = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
);

export async function findAccessKey(accessKey: string) {
  const [row] = await run(accessKeyStatement, [accessKey]);
  return row ?? null;
}

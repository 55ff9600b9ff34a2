import type { CreationPolicy, Level, Role } from '../../generated/prisma/enums.ts';
import { eachAt } from '../../platform/by-address.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { run, statement } from '../../platform/database/statement.ts';

/** What a request needs to know about the user who signed in. */
export interface Principal {
  readonly userId: string;
  readonly tenantId: string;
  readonly username: string;
  readonly role: Role;
  readonly version: number;
  readonly defaultLevel: Level;
  readonly defaultFrom: 'USER' | 'TENANT' | 'SERVER';
  readonly creationPolicy: CreationPolicy;
  /** The scopes of the access key; null for no such limit. */
  readonly scopes: readonly string[] | null;
  /** The expiry of the access key. */
  readonly credentialExpiresAt: Date | null;
}

const principalStatement = statement<Principal>(
  `select account.id as "userId", account.tenant_id as "tenantId", account.username, account.role::text as role,
          account.version,
          coalesce(account.default_level, tenant.default_level, '${controlPlaneConfig.defaultLevel}')::text as "defaultLevel",
          case when account.default_level is not null then 'USER' when tenant.default_level is not null then 'TENANT'
               else 'SERVER' end as "defaultFrom",
          tenant.creation_policy::text as "creationPolicy",
          to_jsonb(credential.scopes) as scopes, credential.expires_at as "credentialExpiresAt"
     from users as account
     join tenants as tenant on tenant.id = account.tenant_id
     left join credentials as credential
       on credential.id = $2::uuid and credential.user_id = account.id and credential.revoked_at is null
      and (credential.expires_at is null or credential.expires_at > now())
    where account.id = any($1::uuid[]) and account.disabled_at is null and ($2::uuid is null or credential.id is not null)
      and not exists (select from revoked_sessions where session_id = $3::uuid)`,
);

/**
 * The active users in the order of the ids, each with its access key and session; null if the user, the access key or
 * the session has ended.
 */
export async function readPrincipals(
  userIds: readonly string[],
  credentialId: string | null,
  sessionId: string | null,
): Promise<(Principal | null)[]> {
  const rows = await run(principalStatement, [userIds, credentialId, sessionId]);
  return eachAt(
    userIds,
    (id) => id,
    rows.map((row) => [row.userId, row]),
  );
}

/** The account of a sign-in, before its credentials are checked. */
export interface Account {
  readonly id: string;
  readonly tenantId: string;
  readonly username: string;
  readonly version: number;
}

const passwordStatement = statement<Account & { passwordHash: string | null; isFirst: boolean }>(
  `select account.id, account.tenant_id as "tenantId", account.username, account.version,
          account.password_hash as "passwordHash",
          tenant.id = (select id from tenants order by created_at, id limit 1) as "isFirst"
     from users as account join tenants as tenant on tenant.id = account.tenant_id
    where account.username_key = $1 and account.disabled_at is null and ($2::text is null or tenant.name_key = $2)
    order by "isFirst" desc limit 2`,
);

/**
 * The active user with this name in the tenant. Without a tenant: the user of the first tenant, so that no other tenant
 * can interfere with its sign-ins, or else the only one; null if there is none, or if several tenants have one.
 */
export async function findPasswordUser(usernameKey: string, tenantKey: string | null) {
  const rows = await run(passwordStatement, [usernameKey, tenantKey]);
  const [first] = rows;
  return first && (rows.length === 1 || first.isFirst) ? first : null;
}

/** An access key never changes while it exists. Whether it is still valid is checked with the principal. */
export interface AccessKey {
  readonly accessKey: string;
  readonly userId: string;
  readonly credentialId: string;
  readonly secretHash: Buffer;
  readonly tenantId: string;
  readonly username: string;
}

const accessKeyStatement = statement<AccessKey>(
  `select credential.access_key as "accessKey", credential.user_id as "userId", credential.id as "credentialId",
          credential.secret_hash as "secretHash", credential.tenant_id as "tenantId", account.username
     from credentials as credential join users as account on account.id = credential.user_id
    where credential.access_key = any($1::text[])`,
);

/** One access key or null for each text, in the order of the texts. Revoked and expired keys are included. */
export async function readAccessKeys(accessKeys: readonly string[]): Promise<(AccessKey | null)[]> {
  const rows = await run(accessKeyStatement, [accessKeys]);
  return eachAt(
    accessKeys,
    (accessKey) => accessKey,
    rows.map((row) => [row.accessKey, row]),
  );
}

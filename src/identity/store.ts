import type { CreationPolicy, Level, Role } from '../generated/prisma/enums.ts';
import { config } from '../platform/config.ts';
import { run, statement } from '../platform/database/statement.ts';

/** What authentication needs of a user. */
export interface SignInUser {
  readonly id: string;
  readonly tenantId: string;
  readonly username: string;
  readonly role: Role;
  readonly version: number;
  readonly defaultLevel: Level;
  readonly defaultFrom: 'USER' | 'TENANT' | 'SERVER';
  readonly creationPolicy: CreationPolicy;
}

const userColumns = `
  account.id, account.tenant_id as "tenantId", account.username, account.role::text as role, account.version,
  coalesce(account.default_level, tenant.default_level, '${config.defaultLevel}')::text as "defaultLevel",
  case when account.default_level is not null then 'USER' when tenant.default_level is not null then 'TENANT'
       else 'SERVER' end as "defaultFrom",
  tenant.creation_policy::text as "creationPolicy"`;

const findByNameStatement = statement<SignInUser & { passwordHash: string | null }>(
  'find_users_to_sign_in',
  `select ${userColumns}, account.password_hash as "passwordHash"
     from users as account join tenants as tenant on tenant.id = account.tenant_id
    where account.username_key = $1 and account.disabled_at is null
    limit 2`,
);

/** The active user of that name; null when there is none, or when two tenants have one. */
export async function findUserToSignIn(usernameKey: string) {
  const rows = await run(findByNameStatement, [usernameKey]);
  return rows.length === 1 ? (rows[0] ?? null) : null;
}

export interface SignInCredential {
  readonly credentialId: string;
  readonly scopes: readonly string[];
}

const findByKeyStatement = statement<SignInUser & SignInCredential & { secretHash: Buffer }>(
  'find_credential_to_sign_in',
  `select ${userColumns}, credential.id as "credentialId", to_jsonb(credential.scopes) as scopes,
          credential.secret_hash as "secretHash"
     from credentials as credential
     join users as account on account.id = credential.user_id
     join tenants as tenant on tenant.id = account.tenant_id
    where credential.access_key = $1 and credential.revoked_at is null and account.disabled_at is null
      and (credential.expires_at is null or credential.expires_at > now())`,
);

export async function findCredentialToSignIn(accessKey: string) {
  const [row] = await run(findByKeyStatement, [accessKey]);
  return row ?? null;
}

const findByTokenStatement = statement<SignInUser & { scopes: readonly string[] | null }>(
  'find_bearer',
  `select ${userColumns}, to_jsonb(credential.scopes) as scopes
     from users as account
     join tenants as tenant on tenant.id = account.tenant_id
     left join credentials as credential
       on credential.id = $3::uuid and credential.user_id = account.id and credential.revoked_at is null
      and (credential.expires_at is null or credential.expires_at > now())
    where account.id = $1::uuid and account.version = $2 and account.disabled_at is null
      and ($3::uuid is null or credential.id is not null)`,
);

/** The user that a token names, as it stands now; null when what the token was made under is gone. */
export async function findBearer(claims: { userId: string; version: number; credentialId: string | null }) {
  const [row] = await run(findByTokenStatement, [claims.userId, claims.version, claims.credentialId]);
  return row ?? null;
}

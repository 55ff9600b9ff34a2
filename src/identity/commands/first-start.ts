import { createEveryone } from '../../authorization/store/groups.ts';
import { ConfigurationError } from '../../platform/config/environment.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { hashSecret, newAccessKey, newPassword, newSecretKey } from '../domain/secrets.ts';
import { usernameFault } from '../domain/user-checks.ts';
import { hashPassword } from '../passwords.ts';

/** These secrets are shown or handed over once; only their hashes are stored. */
export interface FirstSecrets {
  readonly administrator: {
    readonly username: string;
    readonly password: string;
  };
  readonly executor: { readonly accessKey: string; readonly secretKey: string };
}

const lockStatement = statement<{ locked: string }>(
  `select pg_advisory_xact_lock(hashtextextended('slipway:first-start', 0))::text as locked`,
);

/**
 * Creates what a new installation needs for the first sign-in: a tenant, an administrator with a random password, and a
 * service account with an access key for the local executor. If the database already has a tenant, it does nothing. If
 * several servers start at once, only one of them does it.
 *
 * @param handOver gets the secrets before anything is stored, so that they cannot be lost.
 * @returns whether this call has done it.
 * @throws ConfigurationError for a user name that cannot sign in.
 */
export async function firstStart(
  adminUsername: string,
  handOver: (secrets: FirstSecrets) => Promise<void>,
): Promise<boolean> {
  const fault = usernameFault(adminUsername);
  if (fault !== null) throw new ConfigurationError(`SLIPWAY_ADMIN_USERNAME: ${fault}`);
  return await inTransaction(async (tx) => {
    await run(lockStatement, [], tx);
    if (await tx.tenant.findFirst({ select: { id: true } })) return false;
    const password = newPassword();
    const tenantId = newId();
    await tx.tenant.create({ data: { id: tenantId, name: 'default', nameKey: 'default' } });
    await createEveryone(tx, tenantId);
    await tx.user.create({
      data: {
        id: newId(),
        tenantId,
        username: adminUsername,
        usernameKey: nameKey(adminUsername),
        name: 'Administrator',
        role: serverConfig.adminRole,
        passwordHash: await hashPassword(password),
      },
    });
    const executor = { accessKey: newAccessKey(), secretKey: newSecretKey() };
    const executorId = newId();
    await tx.user.create({
      data: {
        id: executorId,
        tenantId,
        kind: 'SERVICE_ACCOUNT',
        username: 'local-executor',
        usernameKey: 'local-executor',
        name: 'Local executor',
        role: 'SYSTEM',
      },
    });
    await tx.credential.create({
      data: {
        id: newId(),
        tenantId,
        userId: executorId,
        accessKey: executor.accessKey,
        secretHash: new Uint8Array(hashSecret(executor.secretKey)),
        label: 'local executor',
        scopes: ['executor'],
      },
    });
    await handOver({
      administrator: { username: adminUsername, password },
      executor,
    });
    return true;
  });
}

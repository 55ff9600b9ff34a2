import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { User } from '../generated/prisma/client.ts';
import type { Role } from '../generated/prisma/enums.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { serverConfig } from '../platform/config/server.ts';
import { FailedPreconditionError } from '../platform/errors.ts';
import { nameKey } from '../platform/text.ts';
import { tenantNameFault } from './domain/tenant-checks.ts';
import { passwordFault, usernameFault } from './domain/user-checks.ts';

/**
 * Fixed users mode: users whom the operator declares in a file rather than in the product. The server brings the table
 * in line with the file when it starts (commands/keep-fixed-users.ts), and the API leaves them alone. Source: ClearML's
 * fixed users and guest.
 */

export interface FixedUser {
  readonly username: string;
  /** As it is typed, or its argon2id hash in PHC form where the file says `passHashed`. */
  readonly password: string;
  readonly name: string;
  readonly role: Role;
  /** The tenant's name; null for the server's first. */
  readonly tenant: string | null;
}

/** Signs in with what the sign-in page shows everybody. */
export interface Guest {
  readonly name: string;
  readonly username: string;
  readonly password: string;
}

export interface FixedUsers {
  readonly isEnabled: boolean;
  readonly arePasswordsHashed: boolean;
  /** Whether those who are no longer declared are deleted. */
  readonly deletesMissing: boolean;
  readonly users: readonly FixedUser[];
  /** Null where none is declared, or it is switched off. */
  readonly guest: Guest | null;
}

const MAX_USERS = 1000;
/** The costs are bounded too: a hash from elsewhere must not stop the server each time somebody signs in. */
const phc =
  /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/;

const text = z.string().min(1).max(255);
const textWith = (faultOf: (text: string) => string | null) =>
  z.string().superRefine((value, issues) => {
    const message = faultOf(value);
    if (message !== null) issues.addIssue({ code: 'custom', message });
  });

const fileForm = z.strictObject({
  enabled: z.boolean(),
  passHashed: z.boolean().default(false),
  deleteMissing: z.boolean().default(true),
  users: z
    .array(
      z.strictObject({
        username: textWith(usernameFault),
        password: z.string().max(1024),
        name: text,
        role: z.enum(['ADMIN', 'SUPERUSER', 'USER', 'ANNOTATOR', 'GUEST']).default('USER'),
        tenant: textWith(tenantNameFault).optional(),
      }),
    )
    .max(MAX_USERS)
    .default([]),
  guest: z
    .strictObject({
      enabled: z.boolean(),
      name: text.default('Guest'),
      username: textWith(usernameFault).default('guest'),
      password: text,
    })
    .optional(),
});

/**
 * What a file declares.
 *
 * @throws ConfigurationError with every fault, and no password.
 */
export function readFixedUsers(path: string): FixedUsers {
  const refuse = (faults: readonly string[]) =>
    new ConfigurationError(`The file of FIXED_USERS_FILE is wrong.\n  ${faults.join('\n  ')}`);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // What JSON.parse says quotes the text, which has passwords in it.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw refuse([reason]);
  }
  const result = fileForm.safeParse(content);
  if (!result.success)
    throw refuse(result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`));
  const { enabled, passHashed, deleteMissing, guest, users } = result.data;
  const faults = [...passwordFaults(users, passHashed), ...duplicates([...users, ...(guest ? [guest] : [])])];
  if (faults.length > 0) throw refuse(faults);
  return {
    isEnabled: enabled,
    arePasswordsHashed: passHashed,
    deletesMissing: deleteMissing,
    users: users.map((user) => ({ ...user, tenant: user.tenant ?? null })),
    guest: enabled && guest?.enabled ? guest : null,
  };
}

function passwordFaults(users: readonly { readonly password: string }[], areHashed: boolean): string[] {
  return users.flatMap(({ password }, at) => {
    const fault = areHashed ? hashFault(password) : passwordFault(password);
    return fault === null ? [] : [`users.${at}.password: ${fault}`];
  });
}

function hashFault(hash: string): string | null {
  const [, memory, time, lanes] = (phc.exec(hash) ?? []).map(Number);
  if (memory === undefined || time === undefined || lanes === undefined)
    return 'this is no argon2id hash in PHC form ($argon2id$v=19$m=…)';
  const isBearable = memory <= 262_144 && time >= 1 && time <= 10 && lanes >= 1 && lanes <= 16;
  return isBearable ? null : 'the hash costs too much: at most m=262144, t=10, p=16';
}

/** One name signs one user in, whatever the tenant. */
function duplicates(users: readonly { readonly username: string }[]): string[] {
  const keys = users.map(({ username }) => nameKey(username));
  const twice = users.filter((_, at) => keys.indexOf(keys[at] ?? '') !== at);
  return twice.map(({ username }) => `the user name ${username} is declared twice`);
}

const none: FixedUsers = {
  isEnabled: false,
  arePasswordsHashed: false,
  deletesMissing: false,
  users: [],
  guest: null,
};
let content: FixedUsers | null = null;

/** What the server's file declares, read once. @throws ConfigurationError */
export function fixedUsers(): FixedUsers {
  content ??= serverConfig.fixedUsersFile === undefined ? none : readFixedUsers(serverConfig.fixedUsersFile);
  return content;
}

/** While the mode is off, whoever was declared before is a user like any other. @throws FailedPreconditionError */
export function requireNotFixed({ isFixed }: Pick<User, 'isFixed'>): void {
  if (isFixed && fixedUsers().isEnabled)
    throw new FailedPreconditionError('the user is declared in the server’s configuration: change it there');
}

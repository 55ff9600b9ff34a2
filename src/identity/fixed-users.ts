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
 * Fixed users mode: the operator declares users in a file. When the server starts, it makes the users in the table the
 * same as in the file (commands/keep-fixed-users.ts). The API cannot change them. Source: ClearML's fixed users and
 * guest.
 */

export interface FixedUser {
  readonly username: string;
  /** The plain password, or its argon2id hash in PHC form if the file says `passHashed`. */
  readonly password: string;
  readonly name: string;
  readonly role: Role;
  /** The name of the tenant; null means the server's first tenant. */
  readonly tenant: string | null;
}

/** A user whose name and password the sign-in page shows to everybody. */
export interface Guest {
  readonly name: string;
  readonly username: string;
  readonly password: string;
}

export interface FixedUsers {
  readonly isEnabled: boolean;
  readonly arePasswordsHashed: boolean;
  /** Whether users who are no longer declared are deleted. */
  readonly deletesMissing: boolean;
  readonly users: readonly FixedUser[];
  /** Null if none is declared, or if it is switched off. */
  readonly guest: Guest | null;
}

const MAX_USERS = 1000;
/** The costs are limited, because an expensive hash from elsewhere must not block the server at each sign-in. */
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
        password: z.string(),
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
 * Reads the declarations of a file.
 *
 * @throws ConfigurationError with all problems, but without passwords.
 */
export function readFixedUsers(path: string): FixedUsers {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // The message of JSON.parse quotes the text, which contains passwords.
    const reason = error instanceof SyntaxError ? 'the file is not valid JSON' : (error as Error).message;
    throw wrongFile([reason]);
  }
  return declarationsIn(content);
}

const wrongFile = (faults: readonly string[]) =>
  new ConfigurationError(`The file of FIXED_USERS_FILE is wrong.\n  ${faults.join('\n  ')}`);

function declarationsIn(content: unknown): FixedUsers {
  const result = fileForm.safeParse(content);
  if (!result.success)
    throw wrongFile(
      result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`),
    );
  const { enabled, passHashed, deleteMissing, guest, users } = result.data;
  const faults = [...passwordFaults(users, passHashed), ...duplicates([...users, ...(guest ? [guest] : [])])];
  if (faults.length > 0) throw wrongFile(faults);
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
    return 'must be an argon2id hash in PHC form ($argon2id$v=19$m=…)';
  const isBearable = memory <= 262_144 && time >= 1 && time <= 10 && lanes >= 1 && lanes <= 16;
  return isBearable ? null : 'the hash takes too long to check; use at most m=262144, t=10, p=16';
}

/** A user name may be declared only once, whatever the tenant. */
function duplicates(users: readonly { readonly username: string }[]): string[] {
  const keys = users.map(({ username }) => nameKey(username));
  const twice = users.filter((_, at) => keys.indexOf(keys[at] ?? '') !== at);
  return twice.map(({ username }) => `the user name ${username} is declared twice`);
}

const none = declarationsIn({ enabled: false });
let content: FixedUsers | null = null;

/** The declarations of the server's file. They are read once. @throws ConfigurationError */
export function fixedUsers(): FixedUsers {
  content ??= serverConfig.fixedUsersFile === undefined ? none : readFixedUsers(serverConfig.fixedUsersFile);
  return content;
}

/** While the mode is off, a user who was declared earlier is an ordinary user. @throws FailedPreconditionError */
export function requireNotFixed({ isFixed }: Pick<User, 'isFixed'>): void {
  if (isFixed && fixedUsers().isEnabled)
    throw new FailedPreconditionError("the server's configuration declares this user, so change it there");
}

import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { parseUsername } from '../identity/domain/addresses.ts';
import { isPassword } from '../identity/passwords.ts';
import { nameKey } from '../platform/text.ts';
import { limitedAttempt } from './attempts.ts';
import { MAX_CACHED } from './max-cached.ts';
import { type Account, findPasswordUser, findPrincipal, type Principal } from './principals.ts';

/**
 * Signing in with name and password. Checking a password costs a tenth of a second of CPU time, and a client with Basic
 * sends it with each request. So we remember right passwords for a minute, under an HMAC whose random key never leaves
 * this process. A memory dump shows neither passwords nor hashes that could be tried elsewhere. The minute only limits
 * how long this stays in memory, and using it does not extend it: when the password changes, the version of the user
 * changes, which every request compares. Only right passwords are remembered.
 */

const REMEMBERED_MS = 60_000;

const hmacKey = randomBytes(32);

interface Verified {
  readonly userId: string;
  /** The version of the user when the hash was read. */
  readonly version: number;
  readonly untilMs: number;
}
const verified = new LRUCache<string, Verified>({ max: MAX_CACHED });

export interface PasswordSignIn {
  /** Null if nobody is signed in. */
  readonly principal: Principal | null;
  /** The account that was tried, if it exists. */
  readonly account: Account | null;
}

/**
 * @param name  `tenant/username`, or the user name alone if only one active user of all tenants has it. An ambiguous or
 * unknown name is refused like a wrong password, after the same work.
 * @throws TooManyAttemptsError unless the password is remembered as right; ResourceExhaustedError if too many passwords
 * wait to be checked.
 */
export async function signInByPassword(
  name: string,
  password: string,
  address: string | null,
): Promise<PasswordSignIn> {
  const { tenantKey, key } = parseUsername(name);
  const remembered = mark(tenantKey, key, password);
  const known = verified.get(remembered);
  if (known && known.untilMs > Date.now()) {
    const principal = await principalOf(known.userId, known.version, key);
    if (principal) return { principal, account: null };
  }
  verified.delete(remembered);
  return await verifyOnce({ tenantKey, key, password, remembered, address });
}

interface Attempt {
  readonly tenantKey: string | null;
  readonly key: string;
  readonly password: string;
  readonly remembered: string;
  readonly address: string | null;
}

const verifying = new Map<string, Promise<PasswordSignIn>>();

/** If the same attempt comes several times at once, as when a client starts, it is checked once and counts once. */
function verifyOnce(attempt: Attempt): Promise<PasswordSignIn> {
  // Attempts from other addresses are separate, because they may be refused while these are not.
  const name = `${attempt.remembered} ${attempt.address}`;
  const known = verifying.get(name);
  if (known) return known;
  const from = { username: attempt.key, address: attempt.address };
  const started = limitedAttempt(
    from,
    () => verify(attempt),
    ({ principal }) => principal !== null,
  ).finally(() => verifying.delete(name));
  verifying.set(name, started);
  return started;
}

async function verify(attempt: Attempt): Promise<PasswordSignIn> {
  const found = await findPasswordUser(attempt.key, attempt.tenantKey);
  const isRight = await isPassword(attempt.password, found?.passwordHash ?? null);
  if (!found || !isRight) return { principal: null, account: found };
  const { id: userId, version } = found;
  // With the version whose hash was compared: a password that has changed in the meantime signs nobody in.
  const principal = await principalOf(userId, version, attempt.key);
  if (principal) verified.set(attempt.remembered, { userId, version, untilMs: Date.now() + REMEMBERED_MS });
  return { principal, account: found };
}

/** The user, if it has not changed since the password was checked and still has this name. */
async function principalOf(userId: string, version: number, key: string): Promise<Principal | null> {
  const principal = await findPrincipal({ userId, credentialId: null, sessionId: null, version });
  return principal && nameKey(principal.username) === key ? principal : null;
}

function mark(tenantKey: string | null, key: string, password: string): string {
  return createHmac('sha256', hmacKey)
    .update(JSON.stringify([tenantKey, key, password]))
    .digest('base64');
}

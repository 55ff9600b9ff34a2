import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { parseUsername } from '../identity/domain/addresses.ts';
import { isPassword } from '../identity/passwords.ts';
import { nameKey } from '../platform/text.ts';
import { limitedAttempt } from './attempts.ts';
import { type Account, findPasswordUser, findPrincipal, type Principal } from './principals.ts';

/**
 * Signing in by name and password. Checking a password costs a tenth of a second of a core, and a client with Basic
 * sends it with each request: so what was right is remembered for a minute, under an HMAC whose key this process made
 * up and keeps to itself. A memory dump shows neither passwords nor hashes that could be tried elsewhere. The minute
 * bounds only how long that stays in memory, and it is not prolonged by use: a changed password ends with its user's
 * version, which each request compares. Only successes are remembered.
 */

const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;

const hmacKey = randomBytes(32);

interface Verified {
  readonly userId: string;
  /** The user's version when the hash was read that the password fits. */
  readonly version: number;
  readonly untilMs: number;
}
const verified = new LRUCache<string, Verified>({ max: MAX_REMEMBERED });

export interface PasswordSignIn {
  /** Null where nobody is signed in. */
  readonly principal: Principal | null;
  /** The account that was tried, where there is one. */
  readonly account: Account | null;
}

/**
 * @param name  `tenant/username`, or the user name alone where one active user in all tenants has it. An ambiguous or
 * unknown name is refused like a wrong password, at the same cost.
 * @throws TooManyAttemptsError unless the password was right before and is remembered; ResourceExhaustedError when too
 * many passwords wait to be checked.
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

/** The same attempt by many at once, as when a client starts, is checked once for all of them, and counts once. */
function verifyOnce(attempt: Attempt): Promise<PasswordSignIn> {
  // Not for those elsewhere: they may be refused, and these not.
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
  // Of the version whose hash was tried: a password that was changed meanwhile signs nobody in.
  const principal = await principalOf(userId, version, attempt.key);
  if (principal) verified.set(attempt.remembered, { userId, version, untilMs: Date.now() + REMEMBERED_MS });
  return { principal, account: found };
}

/** The user, if it still is what it was when the password was checked, and still has that name. */
async function principalOf(userId: string, version: number, key: string): Promise<Principal | null> {
  const principal = await findPrincipal({ userId, credentialId: null, sessionId: null, version });
  return principal && nameKey(principal.username) === key ? principal : null;
}

function mark(tenantKey: string | null, key: string, password: string): string {
  return createHmac('sha256', hmacKey)
    .update(JSON.stringify([tenantKey, key, password]))
    .digest('base64');
}

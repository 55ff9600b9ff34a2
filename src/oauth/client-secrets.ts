import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { hashSecret, isSecret, newSecretKey } from '../identity/domain/secrets.ts';
import { hashPassword, isPassword } from '../identity/passwords.ts';
import { limitedAttempt } from '../sign-in/attempts.ts';

/**
 * The secrets of clients, as they are stored. A secret that the server made has 400 random bits, so a fast hash is
 * enough, as for access keys. A secret that a person chose needs a slow one.
 */

const FAST = 'sha256:';

export interface NewSecret {
  /** Shown once. */
  readonly secret: string;
  readonly hash: string;
}

export function makeSecret(): NewSecret {
  const secret = newSecretKey();
  return { secret, hash: `${FAST}${hashSecret(secret).toString('base64url')}` };
}

export async function hashChosenSecret(secret: string): Promise<NewSecret> {
  return { secret, hash: await hashPassword(secret) };
}

/** Slow checks that have succeeded, as an HMAC with a key that only this process has. */
const processKey = randomBytes(32);
const MAX_REMEMBERED = 10_000;
const right = new LRUCache<string, true>({ max: MAX_REMEMBERED });

/**
 * Whether a secret is one of those with these hashes. Guesses of a secret that a person chose are limited, as those of
 * passwords are.
 *
 * @param attempt  for which client, and from where.
 * @throws ResourceExhaustedError if too many slow checks already wait; TooManyAttemptsError
 */
export async function isClientSecret(
  secret: string,
  hashes: readonly string[],
  { clientId, address }: { readonly clientId: string; readonly address: string | null },
): Promise<boolean> {
  const isFast = (hash: string) => hash.startsWith(FAST);
  for (const hash of hashes.filter(isFast))
    if (isSecret(secret, Buffer.from(hash.slice(FAST.length), 'base64url'))) return true;
  for (const hash of hashes.filter((one) => !isFast(one))) {
    const name = createHmac('sha256', processKey)
      .update(JSON.stringify([hash, secret]))
      .digest('base64');
    if (right.has(name)) return true;
    const attempt = { username: `oauth2 client ${clientId}`, address };
    const check = () => isPassword(secret, hash);
    if (!(await limitedAttempt(attempt, check, (isRight) => isRight))) continue;
    right.set(name, true);
    return true;
  }
  return false;
}

import { hash, verify } from '@node-rs/argon2';
import { ResourceExhaustedError } from '../platform/errors.ts';
import { turns } from '../platform/turns.ts';

/**
 * Passwords are stored as argon2id hashes, which are computed outside of the event loop. Each takes 19 MiB and a thread
 * of the pool for 0.1 s.
 */

/** The library's number for argon2id. Its enum is declared in a way that cannot be imported as a value. */
const ARGON2ID = 2;
const parameters = {
  algorithm: ARGON2ID,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};
const MAX_AT_ONCE = 2;
const MAX_WAITING = 100;

const inTurn = turns(
  MAX_AT_ONCE,
  MAX_WAITING,
  () => new ResourceExhaustedError('too many passwords are being checked, try again'),
);

/** @throws ResourceExhaustedError if too many already wait. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, parameters));
}

let dummyHash: Promise<string> | null = null;
const dummy = () => {
  dummyHash ??= hash('nobody has this password', parameters);
  return dummyHash;
};

/**
 * Whether the password is right. It takes the same time without a hash, so nobody learns which users exist.
 *
 * @throws ResourceExhaustedError if too many already wait.
 */
export async function isPassword(password: string, passwordHash: string | null): Promise<boolean> {
  const right = await inTurn(async () => {
    const other = await dummy();
    return await verify(passwordHash ?? other, password);
  });
  return right && passwordHash !== null;
}

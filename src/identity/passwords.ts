import { hash, verify } from '@node-rs/argon2';

/** argon2id off the event loop, a few at a time: each takes 19 MiB and a thread of the pool for 0.1 s. */
/** The library's number for argon2id; its enum is declared in a way that cannot be imported as a value. */
const ARGON2ID = 2;
const parameters = {
  algorithm: ARGON2ID,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};
const MAX_AT_ONCE = 2;
const MAX_WAITING = 100;

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_AT_ONCE) {
    if (waiting.length >= MAX_WAITING) throw new Error('too many passwords are being checked');
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

export function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, parameters));
}

let dummyHash: Promise<string> | null = null;

/** Whether the password is right. Without a hash it takes as long as with one, so that nobody learns who exists. */
export async function isPassword(password: string, passwordHash: string | null): Promise<boolean> {
  dummyHash ??= hashPassword('nobody has this password');
  const right = await inTurn(async () => verify(passwordHash ?? (await dummyHash) ?? '', password));
  return right && passwordHash !== null;
}

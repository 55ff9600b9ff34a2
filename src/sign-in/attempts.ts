import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { serverConfig } from '../platform/config/server.ts';
import { ResourceExhaustedError, UnauthenticatedError } from '../platform/errors.ts';
import { nameKey } from '../platform/text.ts';

/**
 * How often a secret may be guessed: so many failures for one account, and so many from one address, in a sliding
 * window. Accounts that do not exist are counted like all others, so nobody learns which do.
 *
 * The counts are kept in this process, not in a table: a write for each wrong password would let any stranger load the
 * database. So N servers allow N times as many, and a restart forgets. What is counted is bounded: of very many
 * accounts that fail at once, those whose last failure is oldest are forgotten first. Only secrets that people choose or
 * handle are limited; signatures of tokens and tickets cannot be guessed.
 *
 * A right password takes nothing off: somebody who knows one cannot make room for guessing at others. Checks under way
 * count as failures until they end, so that many at once get no further than many in a row; what would go beyond waits.
 */

/** Whose secret is tried, and from where. */
export interface Attempt {
  /** The user name or access key as it was given. */
  readonly account: string;
  readonly address: string | null;
}

/** Too many attempts have failed lately. */
export class TooManyAttemptsError extends ResourceExhaustedError {
  /** When the next attempt is let through, in whole seconds. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('too many sign-ins have failed, try again later');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface Count {
  /** When they failed, oldest first, in milliseconds; at most as many as are allowed. */
  readonly failures: number[];
  /** Attempts under way. */
  running: number;
  waiting: (() => void)[];
}

const MAX_COUNTS = 50_000;
const MAX_WAITING = 100;

/** Failures by account, or by address. */
export class AttemptCounts {
  readonly #limit: number;
  readonly #windowMs: number;
  /** By the hash of a name: people type passwords where names belong. Whose last failure is oldest comes first. */
  readonly #counts = new Map<string, Count>();

  constructor(limit: number, windowSeconds: number) {
    this.#limit = limit;
    this.#windowMs = windowSeconds * 1000;
  }

  /** How many names have a count. */
  get size(): number {
    return this.#counts.size;
  }

  /**
   * Lets an attempt begin, at once or when one of those under way has ended.
   *
   * @returns what to call when it ends.
   * @throws TooManyAttemptsError
   */
  async begin(name: string): Promise<(isFailed: boolean) => void> {
    const key = createHash('sha256').update(name).digest('base64url');
    const count = this.#counts.get(key) ?? { failures: [], running: 0, waiting: [] };
    this.#counts.set(key, count);
    for (;;) {
      this.#forgetOld(count);
      const [oldest] = count.failures;
      if (oldest !== undefined && count.failures.length >= this.#limit)
        throw new TooManyAttemptsError(Math.max(1, Math.ceil((oldest + this.#windowMs - Date.now()) / 1000)));
      if (count.failures.length + count.running < this.#limit) break;
      if (count.waiting.length >= MAX_WAITING)
        throw new ResourceExhaustedError('too many sign-ins at once, try again');
      await new Promise<void>((resolve) => count.waiting.push(resolve));
    }
    count.running += 1;
    return (isFailed) => this.#end(key, count, isFailed);
  }

  #end(key: string, count: Count, isFailed: boolean): void {
    count.running -= 1;
    if (isFailed) {
      count.failures.push(Date.now());
      this.#counts.delete(key);
      this.#counts.set(key, count);
      this.#sweep();
    } else if (count.failures.length === 0 && count.running === 0 && count.waiting.length === 0) {
      this.#counts.delete(key);
    }
    for (const lookAgain of count.waiting.splice(0)) lookAgain();
  }

  #forgetOld(count: Count): void {
    const since = Date.now() - this.#windowMs;
    while ((count.failures[0] ?? Number.POSITIVE_INFINITY) <= since) count.failures.shift();
  }

  #sweep(): void {
    const since = Date.now() - this.#windowMs;
    for (const [key, { failures, running }] of this.#counts) {
      const isOver = running === 0 && (failures.at(-1) ?? 0) <= since;
      if (!isOver && this.#counts.size <= MAX_COUNTS) return;
      this.#counts.delete(key);
    }
  }
}

const { perAccount, perAddress, seconds } = serverConfig.signInAttempts;
const ofAccounts = new AttemptCounts(perAccount, seconds);
const ofAddresses = new AttemptCounts(perAddress, seconds);

/**
 * Checks a secret, unless too many checks have failed lately: then nothing is checked. To be used wherever a password or
 * an access key's secret is compared, also inside a mutation that asks for the current password.
 *
 * @param check  has failed when it answers null or false, or throws UnauthenticatedError.
 * @throws TooManyAttemptsError
 */
export async function limitedAttempt<T>(attempt: Attempt, check: () => Promise<T>): Promise<T> {
  const ends = [await ofAccounts.begin(nameKey(attempt.account))];
  let isFailed = false;
  try {
    if (attempt.address) ends.push(await ofAddresses.begin(networkOf(attempt.address)));
    const answer = await check();
    isFailed = answer === null || answer === false;
    return answer;
  } catch (error) {
    isFailed = error instanceof UnauthenticatedError;
    throw error;
  } finally {
    for (const end of ends) end(isFailed);
  }
}

/** An address as it is counted: of IPv6 the first 64 bits, since who has one address there has all of those. */
export function networkOf(address: string): string {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(bare)) return bare;
  // Written out by the parser of addresses: lower case, no leading zeros, at most one `::`.
  const written = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = written.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = written.includes('::') ? [...before, ...zeros, ...after] : before;
  return `${groups.slice(0, 4).join(':')}::/64`;
}

import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { serverConfig } from '../platform/config/server.ts';
import { ResourceExhaustedError, UnauthenticatedError } from '../platform/errors.ts';

import { nameKey } from '../platform/text.ts';

/**
 * Limits how often passwords can be guessed, with a sliding window. Failures are counted in three ways:
 *
 * - For one account from one network. So nobody from elsewhere can lock out the owner.
 * - For one network over all accounts.
 * - For one account from all networks together, against callers with many networks. This count does not apply to a
 *   network from which the account has signed in before, so its owner can still sign in.
 *
 * An account is its user name, in any spelling and with any tenant in front. Unknown names are counted too, so nobody
 * learns which accounts exist. Only passwords are counted, because people choose them. Nobody can guess the secret of
 * an access key or the signature of a token or ticket, so these are never refused because of failures.
 *
 * The counts are kept in this process and not in a table, because a write for each wrong password would let any
 * stranger load the database. So N servers allow N times as many failures, and a restart forgets them. The number of
 * counts is limited: if there are too many, those with the oldest last failure are forgotten first.
 *
 * A right password does not reduce a count, so a caller who knows one cannot use it to guess others. Running checks
 * count as failures until they end, so parallel guesses are not more than guesses one after the other; the rest wait.
 */

/** One check of a password: for which account, and from where. */
export interface Attempt {
  /** The user name as given, without a tenant. */
  readonly username: string;
  readonly address: string | null;
}

/** Too many attempts have failed recently. */
export class TooManyAttemptsError extends ResourceExhaustedError {
  /** When the next attempt is possible, in whole seconds. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('too many sign-ins have failed, try again later');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface Count {
  /** The times of the failures in milliseconds, oldest first; at most as many as the limit. */
  readonly failures: number[];
  /** The number of running attempts. */
  running: number;
  waiting: (() => void)[];
}

const MAX_COUNTS = 50_000;
const MAX_WAITING = 100;

/** Counts failures by a name: of an account, a network, or both. */
export class AttemptCounts {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #atOnce: number;
  /**
   * By the hash of the name, because people sometimes type a password in place of a name. The name with the oldest last
   * failure comes first.
   */
  readonly #counts = new Map<string, Count>();

  /** @param atOnce  how many attempts of one name can run at the same time; the others wait. */
  constructor(limit: number, windowSeconds: number, atOnce = limit) {
    this.#limit = limit;
    this.#windowMs = windowSeconds * 1000;
    this.#atOnce = atOnce;
  }

  /** The number of names with a count. */
  get size(): number {
    return this.#counts.size;
  }

  /**
   * Starts an attempt, at once or when a running one ends.
   *
   * @returns a function to call when the attempt ends.
   * @throws TooManyAttemptsError
   */
  async begin(name: string): Promise<(isFailed: boolean) => void> {
    const key = hashOf(name);
    const count = this.#counts.get(key) ?? { failures: [], running: 0, waiting: [] };
    this.#counts.set(key, count);
    for (;;) {
      this.#forgetOld(count);
      const [oldest] = count.failures;
      if (oldest !== undefined && count.failures.length >= this.#limit)
        throw new TooManyAttemptsError(Math.max(1, Math.ceil((oldest + this.#windowMs - Date.now()) / 1000)));
      const isRoom = count.failures.length + count.running < this.#limit;
      if (isRoom && count.running < this.#atOnce) break;
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

const hashOf = (name: string) => createHash('sha256').update(name).digest('base64url');

/** An account may have as many failures from all networks together as from this many single networks. */
const NETWORKS = 10;
/**
 * At most this many passwords of one network are checked at the same time, so that one network does not delay the
 * others.
 */
const AT_ONCE = 10;

const { perAccount, perAddress, seconds } = serverConfig.signInAttempts;
const ofAccountsHere = new AttemptCounts(perAccount, seconds);
const ofAccounts = new AttemptCounts(perAccount * NETWORKS, seconds);
const ofNetworks = new AttemptCounts(perAddress, seconds, AT_ONCE);
/** The networks from which accounts have signed in with the right password. */
const knownPlaces = new LRUCache<string, true>({ max: MAX_COUNTS });

/**
 * Checks a password, or refuses without a check if too many checks have failed recently. Use it wherever a password is
 * compared, also in a mutation that asks for the current one.
 *
 * @param isRight  whether an answer of `check` means that the password was right. An UnauthenticatedError means that it
 * was wrong.
 * @throws TooManyAttemptsError
 */
export async function limitedAttempt<T>(
  { username, address }: Attempt,
  check: () => Promise<T>,
  isRight: (answer: T) => boolean,
): Promise<T> {
  const account = nameKey(username);
  const network = address && networkOf(address);
  const place = JSON.stringify([account, network]);
  const ends: ((isFailed: boolean) => void)[] = [];
  const end = (isFailed: boolean) => {
    for (const one of ends) one(isFailed);
  };
  try {
    if (network) ends.push(await ofNetworks.begin(network));
    ends.push(await ofAccountsHere.begin(place));
    if (!knownPlaces.has(hashOf(place))) ends.push(await ofAccounts.begin(account));
    const answer = await check();
    if (isRight(answer)) knownPlaces.set(hashOf(place), true);
    end(!isRight(answer));
    return answer;
  } catch (error) {
    end(error instanceof UnauthenticatedError);
    throw error;
  }
}

/** The network of an address: for IPv6 its first 64 bits, because the owner of one address there has all of them. */
export function networkOf(address: string): string {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(bare)) return bare;
  // The URL parser writes addresses in one way: lower case, no leading zeros, at most one `::`.
  const written = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = written.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = written.includes('::') ? [...before, ...zeros, ...after] : before;
  return `${groups.slice(0, 4).join(':')}::/64`;
}

import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { serverConfig } from '../platform/config/server.ts';
import { ResourceExhaustedError, UnauthenticatedError } from '../platform/errors.ts';

import { nameKey } from '../platform/text.ts';

/**
 * How often a password may be guessed in a sliding window. Failures are counted in three ways:
 *
 * - of one account from one network: somebody elsewhere cannot lock its owner out;
 * - of one network over all accounts;
 * - of one account from all networks together, for somebody who has many of them. A network from which the account
 *   signed in before is not asked about this: its owner still comes in.
 *
 * An account is its user name, however it is written and whatever tenant stands in front. Accounts that do not exist are
 * counted like all others, so nobody learns which do. Only passwords are counted, which people choose: the secret of an
 * access key and the signatures of tokens and tickets cannot be guessed, and so are never refused for others' failures.
 *
 * The counts are kept in this process, not in a table: a write for each wrong password would let any stranger load the
 * database. So N servers allow N times as many, and a restart forgets. The number of counts is bounded: of very many
 * that fail at once, those whose last failure is oldest are forgotten first.
 *
 * A right password takes nothing off: somebody who knows one cannot make room for guessing at others. Checks under way
 * count as failures until they end, so that many at once get no further than many in a row; the others wait.
 */

/** Whose password is tried, and from where. */
export interface Attempt {
  /** The user name as it was given, without a tenant. */
  readonly username: string;
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

/** Failures by some name: of an account, a network, or both. */
export class AttemptCounts {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #atOnce: number;
  /** By the hash of a name: people type passwords where names belong. The name whose last failure is oldest comes first. */
  readonly #counts = new Map<string, Count>();

  /** @param atOnce  how many attempts of one name may be under way; the others wait. */
  constructor(limit: number, windowSeconds: number, atOnce = limit) {
    this.#limit = limit;
    this.#windowMs = windowSeconds * 1000;
    this.#atOnce = atOnce;
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

/** For an account, as many failures from all networks together as from so many single ones. */
const NETWORKS = 10;
/** More passwords of one network are not checked side by side: the others that wait to be checked are others'. */
const AT_ONCE = 10;

const { perAccount, perAddress, seconds } = serverConfig.signInAttempts;
const ofAccountsHere = new AttemptCounts(perAccount, seconds);
const ofAccounts = new AttemptCounts(perAccount * NETWORKS, seconds);
const ofNetworks = new AttemptCounts(perAddress, seconds, AT_ONCE);
/** From where accounts have signed in with their right password. */
const knownPlaces = new LRUCache<string, true>({ max: MAX_COUNTS });

/**
 * Checks a password, unless too many checks have failed lately: then nothing is checked. To be used wherever a password
 * is compared, also inside a mutation that asks for the current one.
 *
 * @param isRight  whether an answer means that the password was right; an UnauthenticatedError means that it was not.
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
  let isFailed = false;
  try {
    if (network) ends.push(await ofNetworks.begin(network));
    ends.push(await ofAccountsHere.begin(place));
    if (!knownPlaces.has(hashOf(place))) ends.push(await ofAccounts.begin(account));
    const answer = await check();
    isFailed = !isRight(answer);
    if (!isFailed) knownPlaces.set(hashOf(place), true);
    return answer;
  } catch (error) {
    isFailed = error instanceof UnauthenticatedError;
    throw error;
  } finally {
    for (const end of ends) end(isFailed);
  }
}

/** An address as it is counted: of IPv6 the first 64 bits, since whoever has one address there has all of those. */
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

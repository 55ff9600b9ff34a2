import { GraphQLError } from 'graphql';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { networkOf } from '../sign-in/attempts.ts';

/** The result of taking cost from a bucket, and what the bucket holds now. */
export interface Taken {
  readonly isTaken: boolean;
  readonly remaining: number;
  /** The time until the bucket is full again. */
  readonly resetSeconds: number;
  /** The time until this cost can be taken; 0 if it was taken. */
  readonly waitSeconds: number;
}

/**
 * A bucket for each key, which holds `burst` and fills by `perMinute`. Only for this process: N servers allow N times
 * as much. If there are more than `most` keys, those that were not used for the longest time are forgotten, so their
 * buckets are full again.
 */
export class RateBuckets {
  readonly #burst: number;
  readonly #perMs: number;
  readonly #most: number;
  /** The most recently used key comes last. */
  readonly #levels = new Map<string, { level: number; at: number }>();

  constructor({ perMinute, burst, most = 10_000 }: { perMinute: number; burst: number; most?: number }) {
    this.#burst = burst;
    this.#perMs = perMinute / 60_000;
    this.#most = most;
  }

  get size(): number {
    return this.#levels.size;
  }

  /**
   * A cost that is larger than a full bucket can be taken only from a full one. The bucket is then below zero for a
   * while.
   */
  take(key: string, cost: number, now = Date.now()): Taken {
    const level = this.#levelAt(key, now);
    const needed = Math.min(cost, this.#burst);
    const isTaken = level >= needed;
    const left = isTaken ? level - cost : level;
    return this.#set(key, left, now, isTaken ? 0 : needed - level);
  }

  /** Puts back a part that was not used. */
  giveBack(key: string, cost: number, now = Date.now()): Taken {
    return this.#set(key, Math.min(this.#burst, this.#levelAt(key, now) + cost), now, 0);
  }

  #levelAt(key: string, now: number): number {
    const known = this.#levels.get(key) ?? { level: this.#burst, at: now };
    return Math.min(this.#burst, known.level + Math.max(now - known.at, 0) * this.#perMs);
  }

  #set(key: string, level: number, at: number, lacking: number): Taken {
    this.#levels.delete(key);
    this.#levels.set(key, { level, at });
    if (this.#levels.size > this.#most) this.#levels.delete(this.#levels.keys().next().value ?? key);
    return {
      isTaken: lacking === 0,
      remaining: Math.max(Math.floor(level), 0),
      resetSeconds: this.#secondsFor(this.#burst - level),
      waitSeconds: this.#secondsFor(lacking),
    };
  }

  #secondsFor(amount: number): number {
    return Math.ceil(amount / this.#perMs / 1000);
  }
}

const { rateCostPerMinute: perMinute, rateCostBurst: burst } = serverConfig;
/** What one key of a user may use, or one program; also what the strangers of one network may use. */
const shares = perMinute > 0 ? new RateBuckets({ perMinute, burst }) : null;
/**
 * What all keys and programs of one user may use together. A third more than one of them may use, so that none of them
 * can take everything from the others.
 */
const users =
  perMinute > 0 ? new RateBuckets({ perMinute: (perMinute * 4) / 3, burst: (burst * 4) / 3 }) : null;

/** Charges one request, or one operation over a WebSocket, to the buckets of its caller. */
export class Meter {
  readonly #caller: Caller | null;
  /** Null for callers without a limit. */
  readonly #share: string | null;
  /** Null also for callers who are not signed in. */
  readonly #user: string | null;
  /** The charge of this request until now. */
  #charge = 0;
  #last: Taken | null = null;
  /** The cost of a whole batch, which is charged before its operations begin; null if it is not a batch. */
  batch: number | null = null;

  /**
   * Each access key and each OAuth 2 client of a user has a bucket, and all sign-ins without them have one. Each user has
   * a bucket for all of these, because users can make any number of them. A caller who acts as another user uses its own
   * buckets. Callers who are not signed in share a bucket for each network, as does the anonymous user. Executors, which
   * have the role SYSTEM, have no limit: the number of their calls follows from the work that there is, and a limit would
   * make them lose leases.
   */
  constructor(caller: Caller | null, address: string | null) {
    this.#caller = caller;
    const isUser = caller !== null && caller.method !== 'ANONYMOUS';
    this.#user = isUser && caller.role !== 'SYSTEM' ? (caller.real?.userId ?? caller.userId) : null;
    if (caller?.role === 'SYSTEM') this.#share = null;
    else if (isUser) this.#share = `${this.#user} with ${caller.credentialId ?? caller.clientId}`;
    else this.#share = `stranger at ${address && networkOf(address)}`;
  }

  /** Who is limited: the user, or the strangers of one network; null for callers without a limit. */
  get payer(): string | null {
    return this.#user ?? this.#share;
  }

  /** Who takes turns with others: as the payer, but callers without a limit are told apart. */
  get owner(): string {
    return this.payer ?? `${this.#caller?.userId} with ${this.#caller?.credentialId}`;
  }

  /** @throws GraphQLError RESOURCE_EXHAUSTED, with HTTP status 429. */
  take(cost: number): void {
    if (!shares || !users || this.#share === null || this.batch !== null) return;
    const ofShare = shares.take(this.#share, cost);
    const ofUser = ofShare.isTaken && this.#user !== null ? users.take(this.#user, this.#partOf(cost)) : null;
    if (ofUser?.isTaken === false) shares.giveBack(this.#share, cost);
    this.#last = tighter(ofShare, ofUser);
    if (!this.#last.isTaken) throw tooFast(this.#last.waitSeconds);
    this.#charge += cost;
  }

  /** @throws GraphQLError, as `take` does. */
  takeBatch(cost: number): void {
    this.take(cost);
    this.batch = cost;
  }

  /** Puts back the part of the charge that an answer did not use. */
  giveBack(cost: number): void {
    if (!shares || !users || this.#share === null) return;
    const ofShare = shares.giveBack(this.#share, cost);
    const ofUser = this.#user === null ? null : users.giveBack(this.#user, -this.#partOf(-cost));
    this.#last = tighter(ofShare, ofUser);
    this.#charge -= cost;
  }

  /**
   * The part of a further cost that the bucket of the user pays. For one request it never pays more than a share holds.
   * Otherwise, one key could take everything by an operation that costs more than that.
   */
  #partOf(cost: number): number {
    return Math.min(this.#charge + cost, burst) - Math.min(this.#charge, burst);
  }

  /** Source: draft-ietf-httpapi-ratelimit-headers-06. Empty for callers without a limit. */
  get headers(): Record<string, string> {
    if (!this.#last) return {};
    return {
      'ratelimit-limit': String(serverConfig.rateCostBurst),
      'ratelimit-remaining': String(this.#last.remaining),
      'ratelimit-reset': String(this.#last.resetSeconds),
    };
  }
}

/** What a caller may still use if two buckets decide. */
const tighter = (one: Taken, other: Taken | null): Taken => ({
  isTaken: one.isTaken && other?.isTaken !== false,
  remaining: Math.min(one.remaining, other?.remaining ?? Number.POSITIVE_INFINITY),
  resetSeconds: Math.max(one.resetSeconds, other?.resetSeconds ?? 0),
  waitSeconds: Math.max(one.waitSeconds, other?.waitSeconds ?? 0),
});

function tooFast(waitSeconds: number): GraphQLError {
  limitRefusals.inc({ limit: 'rate' });
  return new GraphQLError(`too many requests in a short time; try again in ${waitSeconds} s`, {
    extensions: {
      code: 'RESOURCE_EXHAUSTED',
      retryAfterSeconds: waitSeconds,
      http: { status: 429, headers: { 'retry-after': String(waitSeconds) } },
    },
  });
}

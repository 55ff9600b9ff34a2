import { type Amounts, add, type Resources } from './resources.ts';

/** How fast jobs may start. Source: Armada's scheduling rates. */
export interface RateLimit {
  /** Jobs per second over a long time. */
  readonly perSecond: number;
  /** How many can start at once after a pause. A gang that is larger never starts. */
  readonly burst: number;
}

/** What operators have set. Null for no limit. */
export interface BrakeSettings {
  /** For all jobs of a pool. */
  readonly pool: RateLimit | null;
  /** For the jobs of each queue in a pool. */
  readonly queue: RateLimit | null;
  /** Which part of a pool the jobs of one round may take, by resource. */
  readonly roundShare: Resources;
}

/** How many jobs may still start, at a moment in milliseconds. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** The bucket later: it fills with the rate, up to the burst. One that was never used is full. */
export function refill(bucket: Bucket | null, { perSecond, burst }: RateLimit, atMs: number): Bucket {
  if (!bucket) return { tokens: burst, atMs };
  const passedMs = Math.max(0, atMs - bucket.atMs);
  return { tokens: Math.min(burst, bucket.tokens + (passedMs * perSecond) / 1000), atMs };
}

/** What the brakes say about a number of jobs that would start together. */
export type Verdict =
  | 'GO'
  /** These jobs are left out, and others may start. */
  | 'SKIP'
  /** No more jobs of this queue in this round. */
  | 'STOP_QUEUE'
  /** No more jobs in this round. */
  | 'STOP_ROUND';

export interface BrakeState {
  readonly settings: BrakeSettings;
  /** What the bucket of the pool has; it counts only if there is a limit. */
  readonly pool: Bucket | null;
  /** The same for queues, by id. A queue that is left out has a full bucket. */
  readonly queues: ReadonlyMap<string, Bucket>;
  readonly atMs: number;
}

/** The brakes while a round is planned. */
export class Brakes {
  readonly #settings: BrakeSettings;
  readonly #atMs: number;
  readonly #limits: Resources;
  readonly #taken: Amounts = {};
  readonly #queues = new Map<string, Bucket>();
  #pool: Bucket | null;

  /** @param totals  what all nodes of the pool have. */
  constructor({ settings, pool, queues, atMs }: BrakeState, totals: Resources) {
    this.#settings = settings;
    this.#atMs = atMs;
    this.#pool = settings.pool && refill(pool, settings.pool, atMs);
    if (settings.queue)
      for (const [id, bucket] of queues) this.#queues.set(id, refill(bucket, settings.queue, atMs));
    this.#limits = Object.fromEntries(
      Object.entries(settings.roundShare).map(([name, share]) => [name, (totals[name] ?? 0) * share]),
    );
  }

  /** Whether so many jobs of a queue may start now, together. */
  judge(queueId: string, count: number): Verdict {
    // Before each job, as in Armada: the last one may go beyond the share.
    const isFull = Object.entries(this.#limits).some(([name, most]) => (this.#taken[name] ?? 0) > most);
    if (isFull || (this.#pool && this.#pool.tokens < 1)) return 'STOP_ROUND';
    const queue = this.#bucketOf(queueId);
    if (queue && queue.tokens < 1) return 'STOP_QUEUE';
    const isTooMany = (this.#pool?.tokens ?? count) < count || (queue?.tokens ?? count) < count;
    return isTooMany ? 'SKIP' : 'GO';
  }

  /** Counts jobs that start. */
  take(queueId: string, requests: readonly Resources[]): void {
    for (const resources of requests) add(this.#taken, resources);
    if (this.#pool) this.#pool = spent(this.#pool, requests.length);
    const queue = this.#bucketOf(queueId);
    if (queue) this.#queues.set(queueId, spent(queue, requests.length));
  }

  /** The buckets after the round, without those of queues that are full. Null: there is no limit for the pool. */
  get buckets(): { readonly pool: Bucket | null; readonly queues: ReadonlyMap<string, Bucket> } {
    const burst = this.#settings.queue?.burst ?? 0;
    return {
      pool: this.#pool,
      queues: new Map([...this.#queues].filter(([, { tokens }]) => tokens < burst)),
    };
  }

  #bucketOf(queueId: string): Bucket | null {
    const { queue: limit } = this.#settings;
    return limit && (this.#queues.get(queueId) ?? refill(null, limit, this.#atMs));
  }
}

const spent = ({ tokens, atMs }: Bucket, count: number): Bucket => ({ tokens: tokens - count, atMs });

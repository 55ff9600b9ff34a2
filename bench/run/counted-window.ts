import type { Window } from './load-order.ts';

/** What the machine and the processes have spent so far. All times are in milliseconds. */
export interface Sample {
  readonly at: number;
  readonly server: number;
  readonly database: number;
  /** The CPU time of the bench itself. */
  readonly ours: number;
  readonly machine: number;
}

interface Extent {
  readonly connections: number;
  readonly seconds: number;
  /** So many answers of one connection are the last; null if there is no such limit. */
  readonly share: number | null;
}

/**
 * Counts the answers of a window that lies inside of the load: it begins when so many answers came as there are
 * connections, and ends while all connections still send. So the server has as many requests in its hands at the end as
 * at the beginning, and its CPU time belongs to the answers that are counted. That matters where a request takes a good
 * part of the window.
 */
export class CountedWindow {
  readonly #extent: Extent;
  readonly #sample: () => Sample;
  readonly #durations: number[] = [];
  readonly #answersOf = new Map<unknown, number>();
  #first: Sample | null = null;
  #last: Sample | null = null;
  #all = 0;

  constructor(extent: Extent, sample: () => Sample) {
    this.#extent = extent;
    this.#sample = sample;
  }

  /** @returns whether the window is over. */
  answered(connection: unknown, ms: number, now: number): boolean {
    if (this.#last) return true;
    const { connections, seconds, share } = this.#extent;
    const ofConnection = (this.#answersOf.get(connection) ?? 0) + 1;
    this.#answersOf.set(connection, ofConnection);
    this.#all += 1;
    if (this.#first === null) {
      if (this.#all >= connections) this.#first = this.#sample();
    } else {
      this.#durations.push(ms);
      const isLongEnough = now - this.#first.at >= seconds * 1000 && this.#durations.length >= connections;
      if (isLongEnough || (share !== null && ofConnection >= share)) this.#last = this.#sample();
    }
    return this.#last !== null;
  }

  /** Null if the window is not over. */
  result(megabytes: number): Window | null {
    const [first, last] = [this.#first, this.#last];
    if (!first || !last) return null;
    const count = this.#durations.length;
    const server = last.server - first.server;
    const database = last.database - first.database;
    const milliseconds = last.at - first.at;
    const foreign = last.machine - first.machine - server - database - (last.ours - first.ours);
    const sorted = this.#durations.sort((one, other) => one - other);
    const quantile = (part: number) => sorted[Math.ceil(part * count) - 1] ?? 0;
    return {
      requestsPerSecond: count / (milliseconds / 1000),
      serverCpu: server / count,
      databaseCpu: database / count,
      p50: quantile(0.5),
      p99: quantile(0.99),
      megabytes,
      foreign: Math.max(foreign, 0) / milliseconds,
    };
  }
}

import { LRUCache } from 'lru-cache';

const MAX_NAMES = 10_000;

/** Keeps something from happening too often for one name. */
export class Pace {
  readonly #last: LRUCache<string, number>;
  readonly #everyMs: number;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
    this.#last = new LRUCache({ max: MAX_NAMES });
  }

  /** Whether it may happen now. If so, it may not happen again before the time has passed. */
  mayBegin(name: string): boolean {
    const now = performance.now();
    const last = this.#last.get(name);
    if (last !== undefined && now - last < this.#everyMs) return false;
    this.#last.set(name, now);
    return true;
  }
}

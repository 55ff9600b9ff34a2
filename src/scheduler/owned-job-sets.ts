import { LRUCache } from 'lru-cache';
import { isFreeJobSet } from '../jobs/store/job-sets.ts';

/** How many job sets are remembered. */
const MAX_KNOWN = 10_000;

/**
 * Passes on the news of the job sets of executions only. The others have no owner whose work would go on, and their jobs
 * can be very many. Whether a job set has an owner never changes, so it is asked for once.
 */
export class OwnedJobSets {
  readonly #isFree = new LRUCache<string, boolean>({ max: MAX_KNOWN });
  readonly #onNews: (ownerId: string) => void;

  constructor(onNews: (ownerId: string) => void) {
    this.#onNews = onNews;
  }

  /** @param id  the owner of the job set, or the job set itself if it has none. */
  async hear(id: string): Promise<void> {
    const known = this.#isFree.get(id);
    if (known === true) return;
    if (known === undefined && (await this.#ask(id))) return;
    this.#onNews(id);
  }

  async #ask(id: string): Promise<boolean> {
    try {
      const isFree = await isFreeJobSet(id);
      this.#isFree.set(id, isFree);
      return isFree;
    } catch {
      // Whoever hears the news finds out, and says that the database does not answer.
      return false;
    }
  }
}

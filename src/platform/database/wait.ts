import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseLost } from './failures.ts';

/** Tries again while the database does not answer, for at most a minute: it may be starting too. */
export async function whenDatabaseAnswers<T>(work: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + 60_000; ; await sleep(250)) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseLost(error) || Date.now() > until) throw error;
    }
  }
}

import pLimit from 'p-limit';

/**
 * Limits how many pieces of work run at once. The others wait in the order in which they came.
 *
 * @param tooMany creates the error if `maxWaiting` already wait.
 */
export function turns(atOnce: number, maxWaiting: number, tooMany: () => Error) {
  const limit = pLimit(atOnce);
  return async <T>(work: () => Promise<T>): Promise<T> => {
    // A piece of work that came at this moment still counts as pending, although it may run.
    if (limit.activeCount + limit.pendingCount >= atOnce + maxWaiting) throw tooMany();
    return await limit(work);
  };
}

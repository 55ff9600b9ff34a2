import pLimit from 'p-limit';

/**
 * Work in turns: so many at once, the others in the order they came.
 *
 * @param tooMany  what is thrown when `maxWaiting` wait already.
 */
export function turns(atOnce: number, maxWaiting: number, tooMany: () => Error) {
  const limit = pLimit(atOnce);
  return async <T>(work: () => Promise<T>): Promise<T> => {
    // Those that came in this very moment are still pending, although they have a turn.
    if (limit.activeCount + limit.pendingCount >= atOnce + maxWaiting) throw tooMany();
    return await limit(work);
  };
}

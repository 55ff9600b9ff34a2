import { type Caller, logOf } from '../../platform/caller.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { type CacheEntryFilter, deleteCacheEntries } from '../store/cache-entries.ts';

/** How many entries one call deletes. */
export const MAX_EVICTIONS = 1000;

/**
 * Deletes cached outputs, so that the next run computes them again. Executions that have taken them keep them.
 *
 * @returns how many entries were deleted, and whether there may be more.
 * @throws InvalidArgumentError if neither a task nor a key is given.
 */
export async function evictCacheEntries(
  caller: Caller,
  filter: CacheEntryFilter,
): Promise<{ evicted: number; hasMore: boolean }> {
  if (!filter.task && !filter.key)
    throw InvalidArgumentError.of(['input', 'task'], 'give a task or a key', 'ValueRequired');
  const evicted = await deleteCacheEntries(filter, MAX_EVICTIONS);
  logOf(caller).info(
    { projectId: filter.projectId, task: filter.task?.name, evicted },
    'cache entries evicted',
  );
  return { evicted, hasMore: evicted === MAX_EVICTIONS };
}

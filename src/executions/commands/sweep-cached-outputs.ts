import { inTransaction } from '../../platform/database/transaction.ts';
import { log } from '../../platform/log.ts';
import { deleteSurplusEntries, deleteUnusedEntries, tryLockSweep } from '../store/swept-cache.ts';

/** How many entries one statement deletes. */
const BATCH = 1000;

const DAY_MS = 24 * 60 * 60 * 1000;

/** How large the cache of outputs may become. Zero means no limit. */
export interface CacheLimits {
  /** After how many days without a use an entry is deleted. */
  readonly unusedDays: number;
  /** How many entries a project may have for the tasks of one domain. */
  readonly entries: number;
}

/**
 * Deletes cached outputs that nobody has used for long, and those that are too many, least recently used first. The next
 * run of their tasks computes them again. Only one process does this at a time; the others do nothing.
 *
 * @param batch  at most this many entries in each of the two ways.
 * @returns whether there may be more to delete.
 */
export async function sweepCachedOutputs(
  { unusedDays, entries }: CacheLimits,
  now: Date,
  batch = BATCH,
): Promise<boolean> {
  const [unused, surplus] = await inTransaction(async (tx) => {
    if (!(await tryLockSweep(tx))) return [0, 0];
    const before = new Date(now.getTime() - unusedDays * DAY_MS);
    return [
      unusedDays === 0 ? 0 : await deleteUnusedEntries(tx, before, batch),
      entries === 0 ? 0 : await deleteSurplusEntries(tx, entries, batch),
    ];
  });
  if (unused + surplus > 0) log.info({ unused, surplus }, 'cached outputs deleted');
  return unused === batch || surplus === batch;
}

import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { log } from '../../platform/log.ts';
import {
  deleteSurplusEntries,
  deleteUnusedEntries,
  findSurplusEdges,
  type SurplusEdge,
  tryLockSweep,
} from '../store/swept-cache.ts';

/** How many entries one transaction deletes, and how many transactions a sweep has for each limit. */
const SIZE = { batch: 1000, batches: 100 };

/** In how many projects and domains of tasks a sweep deletes entries that are too many. */
const MAX_EDGES = 100;

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
 * run of their tasks computes them again. Only one process deletes at a time; the others do nothing.
 *
 * @param size  limits how much is deleted at once, in each of the two ways.
 * @returns whether there may be more to delete.
 */
export async function sweepCachedOutputs(limits: CacheLimits, now: Date, size = SIZE): Promise<boolean> {
  const unused = await sweepUnused(limits, now, size);
  const surplus = await sweepSurplus(limits, size);
  if (unused.deleted + surplus.deleted > 0)
    log.info({ unused: unused.deleted, surplus: surplus.deleted }, 'cached outputs deleted');
  return unused.hasMore || surplus.hasMore;
}

interface Swept {
  readonly deleted: number;
  readonly hasMore: boolean;
}
const nothing: Swept = { deleted: 0, hasMore: false };

async function sweepUnused({ unusedDays }: CacheLimits, now: Date, size: typeof SIZE): Promise<Swept> {
  if (unusedDays === 0) return nothing;
  const before = new Date(now.getTime() - unusedDays * DAY_MS);
  return await inBatches((tx) => deleteUnusedEntries(tx, before, size.batch), size);
}

/** To find what is too many means to count. A sweep does it once, and the entries before the edges stay too many. */
async function sweepSurplus({ entries }: CacheLimits, size: typeof SIZE): Promise<Swept> {
  if (entries === 0) return nothing;
  const none: SurplusEdge[] = [];
  const edges = await ifMine((tx) => findSurplusEdges(tx, entries, MAX_EDGES), none);
  if (edges.length === 0) return nothing;
  const { deleted, hasMore } = await inBatches((tx) => deleteSurplusEntries(tx, edges, size.batch), size);
  return { deleted, hasMore: hasMore || (deleted > 0 && edges.length === MAX_EDGES) };
}

/** Each batch is a transaction of its own: locks are held for a short time, and what is deleted stays deleted. */
async function inBatches(
  deleteBatch: (tx: Tx) => Promise<number>,
  { batch, batches }: typeof SIZE,
): Promise<Swept> {
  let deleted = 0;
  for (let turn = 0; turn < batches; turn += 1) {
    const count = await ifMine(deleteBatch, 0);
    deleted += count;
    if (count < batch) return { deleted, hasMore: false };
  }
  return { deleted, hasMore: true };
}

/** Does the work if no other process sweeps at this moment. */
const ifMine = <Result>(work: (tx: Tx) => Promise<Result>, otherwise: Result): Promise<Result> =>
  inTransaction(async (tx) => ((await tryLockSweep(tx)) ? await work(tx) : otherwise));

import { blobIdOf } from '../../blobs/domain/blob-uri.ts';
import { useBlobs } from '../../blobs/store/blobs.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { TaskNode } from '../../registry/domain/closure.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { urisIn } from '../../values/uris.ts';
import { cacheKeyOf } from '../domain/cache-key.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import {
  acquireReservations,
  type FoundEntry,
  findEntries,
  type Lookup,
  type NewEntry,
  withdrawReservations,
} from '../store/output-cache.ts';

/** A node whose task is cached and was not started yet. */
export interface CachedStart {
  readonly nodeExecutionId: string;
  readonly key: string;
  /** Whether only one run at a time computes a missing entry. */
  readonly isSerializable: boolean;
}

/** What the cache says about nodes. A node that is neither a hit nor waiting runs. */
export interface Consultation {
  /** The nodes that take the outputs of an entry. */
  readonly hits: ReadonlySet<string>;
  /** The nodes that wait until another node has computed the entry. */
  readonly waiting: ReadonlySet<string>;
  readonly lookups: readonly Lookup[];
}

/** What the outputs of a node are cached under; null if its task is not cached. */
export function cachedStart(node: TaskNode, nodeExecutionId: string, inputs: LiteralMap): CachedStart | null {
  if (!node.cache) return null;
  const { version, isSerializable, ignoredInputs } = node.cache;
  const { id, template } = node.task;
  const call = { task: id, interface: template.interface, cacheVersion: version, ignoredInputs, inputs };
  return { nodeExecutionId, key: cacheKeyOf(call), isSerializable };
}

/**
 * Looks nodes up in the cache, all of them with the same few statements. Of nodes with the same key whose entry is
 * missing, one runs and the others wait, if their task is serializable. An execution that overwrites the cache finds
 * nothing, but it waits like the others. A node reserves a key only when it starts, so a reserved key always has a job
 * that runs or will run, and waiting nodes cannot wait for each other.
 *
 * The caller must have locked the execution.
 */
export async function consultCache(
  tx: Tx,
  execution: LockedExecution,
  starts: readonly CachedStart[],
): Promise<Consultation> {
  const applicants = new Map<string, CachedStart>();
  // The first one with a key applies for it.
  for (const start of starts.toReversed()) if (start.isSerializable) applicants.set(start.key, start);
  // First, so that an entry which is stored at the same time is found.
  const owners = await acquireReservations(tx, execution, [...applicants.values()]);
  const entries = execution.overwriteCache
    ? new Map<string, FoundEntry>()
    : await usable(tx, execution, starts);
  const isOwner = ({ key, nodeExecutionId }: CachedStart) => owners.get(key) === nodeExecutionId;
  const unneeded = [...applicants.values()].filter((one) => entries.has(one.key) && isOwner(one));
  await withdrawReservations(
    tx,
    execution,
    unneeded.map(({ key }) => key),
  );
  const missing = starts.filter(({ key }) => !entries.has(key));
  const idsOf = (list: readonly CachedStart[]) => new Set(list.map((one) => one.nodeExecutionId));
  return {
    hits: idsOf(starts.filter(({ key }) => entries.has(key))),
    waiting: idsOf(missing.filter((one) => one.isSerializable && !isOwner(one))),
    lookups: starts.map(({ nodeExecutionId, key }) => {
      const entryId = entries.get(key)?.id ?? null;
      const status = entryId ? 'HIT' : execution.overwriteCache ? 'SKIPPED' : 'MISS';
      return { nodeExecutionId, key, entryId, status };
    }),
  };
}

/** The entries whose files are all there, in the project of the execution. */
async function usable(
  tx: Tx,
  execution: LockedExecution,
  starts: readonly CachedStart[],
): Promise<Map<string, FoundEntry>> {
  const { tenantId, projectId } = execution;
  const entries = await findEntries(
    tx,
    execution,
    starts.map(({ key }) => key),
  );
  const ids = [...new Set(entries.flatMap(({ blobIds }) => blobIds))];
  const sizes = await useBlobs(
    ids.map((id) => ({ tenantId, projectId, id })),
    tx,
  );
  const available = new Set(ids.filter((_, at) => sizes[at] !== null));
  const complete = entries.filter(({ blobIds }) => blobIds.every((id) => available.has(id)));
  return new Map(complete.map((entry) => [entry.key, entry]));
}

/** The entry for the outputs of a node that has succeeded. */
export function newEntry(cacheVersion: string, nodeExecutionId: string, outputs: LiteralMap): NewEntry {
  const blobIds = new Set(urisIn(outputs).flatMap((uri) => blobIdOf(uri) ?? []));
  return { id: newId(), nodeExecutionId, cacheVersion, blobIds: [...blobIds] };
}

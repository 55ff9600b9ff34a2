import { executionRefusal } from '../../executions/commands/execution-refusal.ts';
import { readSizes } from '../../executions/store/deletions.ts';
import { type ExecutionListFilter, listEnded } from '../../executions/store/lists.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../../executions/store/reads.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { raw, sql } from '../../platform/database/sql.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { type DomainError, NotFoundError } from '../../platform/errors.ts';
import { type Judged, judgeDeletions, obstacleSql } from '../store/obstacles.ts';
import { type Deletions, deleteEnded, keptError, MAX_EVENTS } from './delete-ended.ts';

/** How many executions one call deletes. */
export const MAX_DELETIONS = 1000;

/** What became of one execution. */
export interface DeletionResult {
  /** The id that it has or had. Null if it does not exist, or if the caller may not see it. */
  readonly id: string | null;
  /** The execution, if it was not deleted. */
  readonly execution: ExecutionRow | null;
  /** Why it was not deleted; null if it was, or if it would be. */
  readonly error: DomainError | null;
}

/**
 * Deletes executions that have ended. One that cannot be deleted does not keep the others from it.
 *
 * @param isDryRun  whether everything is checked and nothing is deleted.
 * @returns one result for each address, in the order of the addresses: FailedPreconditionError if something needs the
 * execution, NotFoundError if it does not exist, is hidden from the caller or was deleted meanwhile.
 *
 * Executions with many events are deleted in several transactions. If the process dies, each of them is either there with
 * everything or gone with everything.
 */
export async function deleteExecutions(
  caller: Caller,
  addresses: readonly ExecutionBy[],
  isDryRun: boolean,
): Promise<DeletionResult[]> {
  const found = await readExecutions(caller.tenantId, addresses);
  const refused = await Promise.all(
    addresses.map((by, at) => executionRefusal(caller, 'execution:delete', by, found[at] ?? null, at)),
  );
  const allowed = found.flatMap((row, at) => (row && !refused[at] ? [row] : []));
  const failed = await deleteAll(caller, allowed, isDryRun);
  return found.map((row, at) => {
    const error = refused[at] ?? null;
    if (!row || error?.code === 'NOT_FOUND') return { id: null, execution: null, error };
    return error ? { id: row.id, execution: row, error } : resultOf(row, failed, isDryRun);
  });
}

/**
 * Deletes the oldest executions of a list that have ended, that the caller may delete and that nothing needs any more.
 *
 * @returns their results, and whether there may be more.
 */
export async function deleteListedExecutions(
  caller: Caller,
  filter: ExecutionListFilter,
  isDryRun: boolean,
): Promise<{ results: DeletionResult[]; hasMore: boolean }> {
  const found = await listEnded(caller, filter, sql`(${raw(obstacleSql)}) is null`, MAX_DELETIONS);
  const executions = found.slice(0, MAX_DELETIONS);
  const failed = await deleteAll(caller, executions, isDryRun);
  return {
    results: executions.map((row) => resultOf(row, failed, isDryRun)),
    hasMore: found.length > MAX_DELETIONS,
  };
}

function resultOf(
  row: ExecutionRow,
  failed: ReadonlyMap<string, DomainError>,
  isDryRun: boolean,
): DeletionResult {
  const error = failed.get(row.id) ?? null;
  const isThere = isDryRun || (error !== null && error.code !== 'NOT_FOUND');
  return { id: row.id, execution: isThere ? row : null, error };
}

/** @returns why executions were not deleted, by their ids. */
async function deleteAll(
  caller: Caller,
  executions: readonly ExecutionRow[],
  isDryRun: boolean,
): Promise<ReadonlyMap<string, DomainError>> {
  const ids = [...new Set(executions.map(({ id }) => id))];
  const failed = new Map<string, DomainError>(
    ids.map((id) => [id, new NotFoundError('execution', id, ['input', 'executions'])]),
  );
  const parts = isDryRun ? [await dryRun(ids)] : await deleteInParts(caller, ids);
  for (const { deleted, kept } of parts) {
    for (const id of deleted) failed.delete(id);
    for (const { id, phase, obstacle } of kept) if (obstacle) failed.set(id, keptError({ phase, obstacle }));
  }
  return failed;
}

async function dryRun(ids: readonly string[]): Promise<Deletions> {
  const judged = await judgeDeletions(ids);
  const isFree = ({ obstacle }: Judged) => obstacle === null;
  return {
    deleted: judged.filter(isFree).map(({ id }) => id),
    kept: judged.filter((one) => !isFree(one)),
  };
}

async function deleteInParts(caller: Caller, ids: readonly string[]): Promise<Deletions[]> {
  const done: Deletions[] = [];
  for (const part of partsOf(await readSizes(ids), MAX_EVENTS)) {
    const deletion = { deletedById: caller.userId, skipsLocked: false };
    const result = await inTransaction((tx) => deleteEnded(tx, part, deletion));
    if (result.deleted.length > 0)
      logOf(caller).info({ executionIds: result.deleted }, 'executions were deleted');
    done.push(result);
  }
  return done;
}

/** Divides executions into parts that have at most so many events together. An execution with more is alone in its part. */
export function partsOf(
  executions: readonly { readonly id: string; readonly events: bigint }[],
  maxEvents: number,
): string[][] {
  const parts: string[][] = [];
  let left = 0;
  for (const { id, events } of executions) {
    const last = parts.at(-1);
    if (last && Number(events) <= left) last.push(id);
    else {
      parts.push([id]);
      left = maxEvents;
    }
    left -= Number(events);
  }
  return parts;
}

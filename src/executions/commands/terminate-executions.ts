import type { Caller } from '../../platform/caller.ts';
import type { DomainError } from '../../platform/errors.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import { executionPhases } from '../domain/phases.ts';
import { type ExecutionListFilter, listAbortable } from '../store/lists.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../store/reads.ts';
import { abortExecutions, hasEnded, requireCause, type Termination } from './abort-executions.ts';
import { executionRefusal } from './execution-refusal.ts';

/** How many executions one call terminates. */
export const MAX_TERMINATIONS = 1000;

export interface BulkTermination extends Termination {
  /** Whether nothing is changed, and the answer only says what would be. */
  readonly dryRun: boolean;
}

/** What became of one execution. */
export interface TerminationResult {
  /** Null if it does not exist, or if the caller may not see it. */
  readonly execution: ExecutionRow | null;
  /** Why it was not aborted; null if it was. */
  readonly error: DomainError | null;
}

/**
 * Aborts executions, each as `terminateExecution` does. One that cannot be aborted does not keep the others from it.
 *
 * @returns one result for each address, in the order of the addresses.
 * @throws InvalidArgumentError for the cause.
 */
export async function terminateExecutions(
  caller: Caller,
  addresses: readonly ExecutionBy[],
  termination: BulkTermination,
  now: Date,
): Promise<TerminationResult[]> {
  requireCause(termination.cause);
  const found = await readExecutions(caller.tenantId, addresses);
  const refused = await Promise.all(
    addresses.map((by, at) => executionRefusal(caller, 'execution:terminate', by, found[at] ?? null, at)),
  );
  const allowed = found.flatMap((row, at) => (row && !refused[at] ? [row] : []));
  const [failed, after] = await abortAll(caller, allowed, termination, now);
  return found.map((row, at) => {
    const error = refused[at] ?? (row && failed.get(row.id)) ?? null;
    const isShown = row !== null && error?.code !== 'NOT_FOUND';
    return { execution: isShown ? (after.get(row.id) ?? row) : null, error };
  });
}

/**
 * Aborts the oldest executions of a list that the caller may terminate and that nobody has aborted yet.
 *
 * @returns their results, and whether there may be more.
 * @throws InvalidArgumentError for the cause.
 */
export async function terminateListedExecutions(
  caller: Caller,
  filter: ExecutionListFilter,
  termination: BulkTermination,
  now: Date,
): Promise<{ results: TerminationResult[]; hasMore: boolean }> {
  requireCause(termination.cause);
  const found = await listAbortable(caller, filter, termination.isForced, MAX_TERMINATIONS);
  const executions = found.slice(0, MAX_TERMINATIONS);
  const [failed, after] = await abortAll(caller, executions, termination, now);
  return {
    results: executions.map((row) => ({
      execution: after.get(row.id) ?? row,
      error: failed.get(row.id) ?? null,
    })),
    hasMore: found.length > MAX_TERMINATIONS,
  };
}

/** @returns why executions were not aborted, and the executions as they are now, by their ids. */
async function abortAll(
  caller: Caller,
  executions: readonly ExecutionRow[],
  { dryRun, ...termination }: BulkTermination,
  now: Date,
): Promise<[ReadonlyMap<string, DomainError>, ReadonlyMap<string, ExecutionRow>]> {
  if (dryRun) {
    const ended = executions.filter(({ phase }) => isTerminal(executionPhases, phase));
    return [new Map(ended.map(({ id, phase }) => [id, hasEnded(phase)])), new Map()];
  }
  const failed = await abortExecutions(caller, executions, termination, now);
  const after = await readExecutions(
    caller.tenantId,
    executions.map(({ id }) => ({ id })),
  );
  return [failed, new Map(after.flatMap((row) => (row ? [[row.id, row] as const] : [])))];
}

import { type Caller, logOf } from '../../platform/caller.ts';
import {
  type DomainError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { executionPhases } from '../domain/phases.ts';
import { moveExecutions } from '../store/moves.ts';
import type { ExecutionRow } from '../store/reads.ts';

const MAX_CAUSE = 500;

/** How a user wants executions or nodes to stop. */
export interface Termination {
  readonly cause: string;
  /** Whether not to wait until the work has stopped. */
  readonly isForced: boolean;
}

/** @throws InvalidArgumentError for a cause that is too long. */
export function requireCause(cause: string): void {
  if (cause.length > MAX_CAUSE)
    throw InvalidArgumentError.of(['input', 'cause'], `must have at most ${MAX_CAUSE} characters`);
}

/** How many executions one statement aborts. */
const BATCH = 100;

/**
 * Aborts executions: they are ABORTING at once, and ABORTED when their work has stopped. If the abort is
 * forced, the scheduler does not wait for the work. It also ends executions of engines from outside.
 *
 * @param executions  those that the caller may terminate.
 * @returns why an execution was not aborted, by its id: FailedPreconditionError with the current phase if it has ended,
 * NotFoundError if it was deleted meanwhile.
 */
export async function abortExecutions(
  caller: Caller,
  executions: readonly ExecutionRow[],
  { cause, isForced }: Termination,
  now: Date,
): Promise<ReadonlyMap<string, DomainError>> {
  const left = new Map<string, DomainError>(
    executions.map(({ id }) => [id, new NotFoundError('execution', id, ['input', 'by'])]),
  );
  const ids = [...left.keys()];
  for (let from = 0; from < ids.length; from += BATCH) {
    const moved = await moveExecutions(ids.slice(from, from + BATCH), {
      to: 'ABORTING',
      from: phasesThatMayMoveTo(executionPhases, 'ABORTING'),
      at: now,
      abort: { cause, principalId: caller.userId, isForced },
    });
    for (const { id, before, after } of moved)
      if (after) left.delete(id);
      else left.set(id, hasEnded(before));
  }
  const aborted = ids.filter((id) => !left.has(id));
  if (aborted.length > 0)
    logOf(caller).info({ executionIds: aborted, isForced }, 'executions are being aborted');
  return left;
}

export const hasEnded = (phase: ExecutionRow['phase']) =>
  new FailedPreconditionError(`the execution has already ${phase}`, { current: phase });

import type { Tx } from '../../platform/database/transaction.ts';
import {
  AlreadyExistsError,
  type DomainError,
  FailedPreconditionError,
  NotFoundError,
} from '../../platform/errors.ts';
import type { EventVerdict } from '../domain/judge-events.ts';
import { lockReported, type ReportedExecution } from '../store/events-from-outside.ts';

/** What an event is about. */
interface Judged {
  /** In messages: `the execution`, `the node train`. */
  readonly noun: string;
  readonly current: string;
  readonly cluster: string | null;
}

/** The error for an event that is not accepted; null for one that is. */
export function eventRefusal(verdict: EventVerdict, { noun, current, cluster }: Judged): DomainError | null {
  if (verdict === 'ACCEPTED') return null;
  if (verdict === 'REPEATED') return new AlreadyExistsError(`${noun} is already ${current}`);
  if (verdict === 'INCOMPATIBLE_CLUSTER')
    return new FailedPreconditionError(`the execution is run by ${cluster ?? 'no engine yet'}`, {
      current,
      cluster,
      reason: 'INCOMPATIBLE_CLUSTER',
    });
  if (verdict === 'TERMINAL')
    return new FailedPreconditionError(`${noun} has already ended as ${current}`, {
      current,
      reason: 'ALREADY_IN_TERMINAL_STATE',
    });
  return new FailedPreconditionError(`${noun} is ${current}, which this phase cannot follow`, {
    current,
    reason: 'PHASE_NOT_ALLOWED',
  });
}

export const executionNotFound = (id: string) => new NotFoundError('execution', id, ['input', 'execution']);

/** The error for an event of an execution that our own scheduler runs; null for one of an engine from outside. */
export function refusalOfOwn({
  engine,
  phase,
}: Pick<ReportedExecution, 'engine' | 'phase'>): DomainError | null {
  if (engine === 'EXTERNAL') return null;
  return new FailedPreconditionError('Slipway runs this execution itself, so it takes no events', {
    current: phase,
  });
}

/**
 * Locks the execution of an event.
 *
 * @throws NotFoundError; FailedPreconditionError for an execution that our own scheduler runs.
 */
export async function lockExternal(tx: Tx, id: string): Promise<ReportedExecution> {
  const execution = await lockReported(tx, id);
  if (!execution) throw executionNotFound(id);
  const refused = refusalOfOwn(execution);
  if (refused) throw refused;
  return execution;
}

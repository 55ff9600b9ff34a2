import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import type { WorkError } from '../../platform/work-error.ts';

/** The parts of an execution that decide whether its time is over. */
export interface Timed {
  readonly phase: ExecutionPhase;
  /** When all its work must have ended. */
  readonly deadlineAt: Date | null;
  /** When the first of its tasks must have begun. */
  readonly queueDeadlineAt: Date | null;
  readonly errorCode: string | null;
}

/** What the end of the time means for an execution. */
export type Overdue =
  /** It has time. */
  | null
  /** Its work is stopped, and it will be TIMED_OUT. */
  | 'TIMES_OUT'
  /** It was failing before: its work is stopped, and it will be FAILED. */
  | 'FAILS';

const TIMED_OUT_CODE = 'ExecutionTimedOut';

/** @param hasBegun  whether any task has begun; read only if the answer depends on it. */
export async function overdueOf(
  execution: Timed,
  now: Date,
  hasBegun: () => Promise<boolean>,
): Promise<Overdue> {
  const { phase, deadlineAt, queueDeadlineAt, errorCode } = execution;
  if (phase === 'FAILING' && errorCode === TIMED_OUT_CODE) return 'TIMES_OUT';
  const isOver =
    isPast(deadlineAt, now) || (phase !== 'FAILING' && isPast(queueDeadlineAt, now) && !(await hasBegun()));
  if (!isOver) return null;
  return phase === 'FAILING' ? 'FAILS' : 'TIMES_OUT';
}

const isPast = (instant: Date | null, now: Date) => instant !== null && instant <= now;

/** When the time of an execution will be over, if that is still to come. */
export function nextDeadlines({ deadlineAt, queueDeadlineAt }: Timed, now: Date): Date[] {
  return [deadlineAt, queueDeadlineAt].filter((instant) => instant !== null && instant > now) as Date[];
}

export function timedOutError({ deadlineAt }: Timed, now: Date): WorkError {
  const message = isPast(deadlineAt, now)
    ? 'the execution took longer than it may'
    : 'no task of the execution has begun in the time that it may wait';
  return { code: TIMED_OUT_CODE, message, kind: 'USER' };
}

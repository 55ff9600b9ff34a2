import { tenantGroups } from '../../platform/database/group-commit.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { DomainError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { isWrongProducer, judgeTaskEvent } from '../domain/judge-events.ts';
import { isEndOfAttempt } from '../domain/phases.ts';
import { mergeTaskDetails } from '../domain/task-details.ts';
import { lockReported } from '../store/events-from-outside.ts';
import type { TaskExecutionRow } from '../store/reads.ts';
import {
  type AcceptedReport,
  type AttemptAddress,
  type ReportedAttempt,
  readReported,
  storeReports,
} from '../store/task-reports.ts';
import type { AttemptEvent } from './create-task-event.ts';
import { eventRefusal, executionNotFound, refusalOfOwn } from './event-refusals.ts';

/** An event, with what had to be read before it is judged. */
export interface TaskReport {
  readonly executionId: string;
  readonly event: AttemptEvent;
  /** What the event brings for the interface of its task. Null if the task was not looked up, as it brings no values. */
  readonly checked: CheckedValues | null;
}

export interface CheckedValues {
  /** Null for a task that is not registered. */
  readonly taskId: string | null;
  readonly inputs: LiteralMap | null;
  readonly outputs: LiteralMap | null;
  /** Why the values cannot be accepted. Other reasons to refuse the event may go before. */
  readonly fault: DomainError | null;
}

/** What becomes of a report: the row of the attempt, or the refusal. */
export type ReportAnswer =
  | TaskExecutionRow
  | DomainError
  /** The attempt is new, so its task must be looked up. Nothing was stored. */
  | 'TASK_NEEDED';

/** Another report has changed what decided about this one. Nothing was stored. */
type Overtaken = 'OVERTAKEN';

/** How many characters of reports one transaction applies: those of about 500 reports without outputs. */
const MAX_TEXT = 256 * 1024;

const groups = tenantGroups<TaskReport, ReportAnswer | Overtaken>({
  apply: (reports) => applyTogether(reports),
  sizeOf: (report) => JSON.stringify(report).length,
  most: MAX_TEXT,
  mostWaiting: 64 * MAX_TEXT,
  // The attempts of a node share its inputs and its latest attempt.
  keysOf: ({ executionId, event }) => [`${executionId} ${event.nodeId}`],
});

/**
 * Applies a report, together with those that other calls of the tenant bring at the same time. It resolves after the
 * commit, and is never refused because of another one.
 *
 * @throws UnavailableError if too many reports wait.
 */
export async function applyTaskReport(tenantId: string, report: TaskReport): Promise<ReportAnswer> {
  const answer = await groups.submit(tenantId, report);
  return answer === 'OVERTAKEN' ? await applyAlone(report) : answer;
}

async function applyTogether(reports: readonly TaskReport[], tx?: Tx): Promise<(ReportAnswer | Overtaken)[]> {
  const current = await readReported(reports.map(addressOf), tx);
  const judged = reports.map((report, index) => judge(report, current[index] ?? null));
  const accepted = judged.filter((verdict): verdict is AcceptedReport => isAccepted(verdict));
  const rows = await storeReports(accepted, tx);
  return judged.map((verdict) => (isAccepted(verdict) ? (rows.get(verdict.id) ?? 'OVERTAKEN') : verdict));
}

/** With the lock, nobody can overtake it again. */
async function applyAlone(report: TaskReport): Promise<ReportAnswer> {
  return await inTransaction(async (tx) => {
    await lockReported(tx, report.executionId);
    const [answer] = await applyTogether([report], tx);
    if (answer === undefined || answer === 'OVERTAKEN')
      throw new Error('the attempt has changed, although its execution was locked');
    return answer;
  });
}

const addressOf = ({ executionId, event }: TaskReport): AttemptAddress => ({
  executionId,
  nodeId: event.nodeId,
  task: event.task,
  attempt: event.retryAttempt,
});

type Verdict = AcceptedReport | DomainError | 'TASK_NEEDED';

const isAccepted = (verdict: Verdict): verdict is AcceptedReport =>
  verdict !== 'TASK_NEEDED' && !(verdict instanceof DomainError);

/** The order of the checks decides which refusal an event with several faults gets. */
function judge(report: TaskReport, current: ReportedAttempt | null): Verdict {
  const { executionId, event, checked } = report;
  if (!current) return executionNotFound(executionId);
  const { cluster, known, nodeExecutionId } = current;
  const notOurs = refusalOfOwn(current);
  if (notOurs) return notOurs;
  if (checked?.fault) return checked.fault;
  if (nodeExecutionId === null) return new NotFoundError('node execution', event.nodeId, ['input', 'nodeId']);
  const isWrong = isWrongProducer(event.producerId, cluster);
  const refused = eventRefusal(isWrong ? 'INCOMPATIBLE_CLUSTER' : judgeTaskEvent(known, event), {
    noun: `attempt ${event.retryAttempt} of the node ${event.nodeId}`,
    current: known?.phase ?? current.phase,
    cluster,
  });
  if (refused) return refused;
  if (!known && !checked) return 'TASK_NEEDED';
  const details = mergeTaskDetails(known?.details ?? null, event);
  const isEnd = isEndOfAttempt(event.phase);
  return {
    ...addressOf(report),
    ...{ nodeExecutionId, cluster, details },
    id: known?.id ?? newId(),
    knownPhase: known?.phase ?? null,
    knownVersion: known?.phaseVersion ?? null,
    taskId: checked?.taskId ?? null,
    to: event.phase,
    phaseVersion: event.phaseVersion,
    at: event.occurredAt,
    endedAt: isEnd ? event.occurredAt : null,
    updatedAt: event.reportedAt ?? event.occurredAt,
    reason: details.reasons.at(-1)?.message ?? null,
    inputs: checked?.inputs ?? null,
    outputs: isEnd ? (checked?.outputs ?? null) : null,
    error: event.error,
  };
}

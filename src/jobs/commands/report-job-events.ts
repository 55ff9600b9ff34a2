import type { JobRunState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, type Problem, ResourceExhaustedError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { LITERALS_PER_PLAIN } from '../../platform/literals-per-plain.ts';
import { rounds } from '../../platform/rounds.ts';
import { jsonFault } from '../../platform/storable-json.ts';
import { storable } from '../../platform/text.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { isBeforeFirstInstant } from '../domain/executor-clock.ts';
import { hasBeen, type ReportableKind } from '../domain/states.ts';
import type { RunMove } from '../store/run-moves.ts';
import { applyRunMoves } from './apply-run-moves.ts';

export interface JobEventReport {
  readonly runId: string;
  readonly kind: ReportableKind;
  readonly occurredAt: Date;
  readonly exitCode: number | null;
  readonly error: WorkError | null;
  /** Only for SUCCEEDED: plain values by name. */
  readonly outputs: Readonly<Record<string, unknown>> | null;
  /** Only for SUCCEEDED: literals by name, for outputs that plain values do not say completely. */
  readonly outputLiterals: Readonly<Record<string, unknown>> | null;
}

/** What the server did with one report. */
export type ReportOutcome =
  /** The report was stored. */
  | 'APPLIED'
  /** The run is already in this state or a later one: the report is a repeated one, and nothing changed. */
  | 'REPEATED'
  /**
   * The run has ended in another way, or it does not belong to the caller. It must be stopped, and reports about it are
   * ignored.
   */
  | 'FENCED';

const MAX_REPORTS = 500;
const MAX_CODE = 255;
const MAX_MESSAGE = 8192;

/**
 * Applies the reports of an executor about its runs, in the given order. Repeating a report changes nothing and is not
 * an error.
 *
 * @returns one outcome for each report, in the same order.
 * @throws InvalidArgumentError; ResourceExhaustedError if outputs are larger than `outputLimitBytes`. Then no report
 * was applied.
 */
export async function reportJobEvents(
  caller: Caller,
  reports: readonly JobEventReport[],
  { outputLimitBytes, leaseSeconds }: { outputLimitBytes: number; leaseSeconds: number },
): Promise<ReportOutcome[]> {
  const problems = reportProblems(reports);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  for (const [index, report] of reports.entries()) {
    requireSmall(report, index, 'outputs', outputLimitBytes);
    requireSmall(report, index, 'outputLiterals', LITERALS_PER_PLAIN * outputLimitBytes);
  }
  const outcomes = new Map<number, ReportOutcome>();
  const indexed = reports.map((report, index) => ({ report, index }));
  // A statement must not name a run twice.
  for (const round of rounds(indexed, ({ report }) => report.runId)) {
    const byRun = await applyRunMoves(
      caller,
      round.map(({ report }) => toMove(report)),
      leaseSeconds,
    );
    for (const { report, index } of round) {
      const answer = byRun.get(report.runId);
      const isRepeated = answer !== undefined && hasBeen(report.kind, answer.before);
      outcomes.set(index, answer?.moved ? 'APPLIED' : isRepeated ? 'REPEATED' : 'FENCED');
    }
  }
  return reports.map((_, index) => outcomes.get(index) ?? 'FENCED');
}

function requireSmall(
  report: JobEventReport,
  index: number,
  field: 'outputs' | 'outputLiterals',
  limitBytes: number,
): void {
  if (Buffer.byteLength(JSON.stringify(report[field])) <= limitBytes) return;
  throw new ResourceExhaustedError(
    `the outputs are larger than ${limitBytes} bytes; write large data to a file`,
    { path: ['input', 'events', String(index), field] },
  );
}

function toMove(report: JobEventReport): RunMove {
  const to: JobRunState = report.kind;
  return {
    runId: report.runId,
    to,
    at: report.occurredAt.toISOString(),
    exitCode: report.exitCode,
    error: report.error && {
      ...report.error,
      code: storable(report.error.code, MAX_CODE),
      message: storable(report.error.message, MAX_MESSAGE),
    },
    outputs: report.outputs,
    outputLiterals: report.outputLiterals,
  };
}

/** Null stands for no outputs. */
const isByName = (value: unknown) => typeof value === 'object' && !Array.isArray(value);

function reportProblems(reports: readonly JobEventReport[]): Problem[] {
  const problems: Problem[] = [];
  const fault = (index: number, field: string, message: string) =>
    problems.push({
      path: ['input', 'events', String(index), field],
      code: 'InvalidValue',
      message,
    });
  if (reports.length > MAX_REPORTS)
    return [
      {
        path: ['input', 'events'],
        code: 'InvalidValue',
        message: `must have at most ${MAX_REPORTS} events`,
      },
    ];
  for (const [index, report] of reports.entries()) {
    if (!isId(report.runId)) fault(index, 'run', 'a run id must be a UUIDv7');
    if (report.kind === 'FAILED' && !report.error) fault(index, 'error', 'a failure needs an error');
    if (report.kind !== 'FAILED' && report.error) fault(index, 'error', 'only a failure can have an error');
    if (isBeforeFirstInstant(report.occurredAt)) fault(index, 'occurredAt', 'must not be before 1970');
    for (const field of ['outputs', 'outputLiterals'] as const) {
      if (report.kind !== 'SUCCEEDED' && report[field])
        fault(index, field, 'only a success can have outputs');
      if (!isByName(report[field])) fault(index, field, 'must be an object of outputs by name');
      const unfit = jsonFault(report[field]);
      if (unfit) fault(index, field, `${unfit.path.join('.')}: ${unfit.message}`);
    }
  }
  return problems;
}

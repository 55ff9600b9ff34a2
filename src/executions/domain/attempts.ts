import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { readGivenOutputs } from '../../values/given-outputs.ts';
import type { Variable } from '../../values/literal-types.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { Work } from '../../values/problem-list.ts';
import { literalBytes } from './limits.ts';

/** A report about one attempt. */
export interface TaskEvent {
  readonly nodeExecutionId: string;
  readonly attempt: number;
  readonly phase: Exclude<TaskExecutionPhase, 'RETRYABLE_FAILED'>;
  readonly at: Date;
  readonly reason: string | null;
  readonly error: WorkError | null;
  /** Only for SUCCEEDED: plain values by name, which are checked here with the interface of the task. */
  readonly outputs: Readonly<Record<string, unknown>> | null;
  /** Only for SUCCEEDED: the outputs that plain values do not say completely, as literals. */
  readonly outputLiterals?: Readonly<Record<string, unknown>> | null;
}

/** The result of an attempt after its report was checked. */
export interface AttemptOutcome {
  readonly phase: TaskExecutionPhase;
  readonly outputs: LiteralMap | null;
  /** The size of the outputs as literals. */
  readonly outputBytes: number;
  /** How many steps the check of the outputs took, whether they are valid or not. */
  readonly steps: number;
  readonly error: WorkError | null;
}

/**
 * Checks a report. A success is a failure of the user's code if its outputs do not fit the interface of the task
 * (`OutputsInvalid`), or if their literals are larger than `outputLimitBytes` (`OutputsTooLarge`). After a failure of
 * the user's code, the attempt is RETRYABLE_FAILED if the node has retries left. Failures of the system are never
 * retried here; the job retries them.
 */
export function judgeAttempt(
  node: {
    readonly retries: number;
    readonly outputs: Readonly<Record<string, Variable>>;
  },
  report: Pick<TaskEvent, 'phase' | 'attempt' | 'error' | 'outputs' | 'outputLiterals'>,
  outputLimitBytes: number,
): AttemptOutcome {
  if (report.phase === 'SUCCEEDED') return judgeOutputs(node, report, outputLimitBytes);
  if (report.phase === 'FAILED') return failedAttempt(node, report, report.error ?? unknownError);
  return { ...withoutOutputs, phase: report.phase };
}

const withoutOutputs = { outputs: null, outputBytes: 0, steps: 0, error: null };

const unknownError: WorkError = {
  code: 'Unknown',
  message: 'the run failed and gave no reason',
  kind: 'UNKNOWN',
};

/**
 * The result of an attempt that failed: RETRYABLE_FAILED if the user's code is the cause and the node has retries left.
 */
export function failedAttempt(
  node: { readonly retries: number },
  { attempt }: { readonly attempt: number },
  error: WorkError,
): AttemptOutcome {
  const isRetried = error.kind === 'USER' && attempt < node.retries;
  return { ...withoutOutputs, phase: isRetried ? 'RETRYABLE_FAILED' : 'FAILED', error };
}

function judgeOutputs(
  node: { readonly retries: number; readonly outputs: Readonly<Record<string, Variable>> },
  report: Pick<TaskEvent, 'attempt' | 'outputs' | 'outputLiterals'>,
  limitBytes: number,
): AttemptOutcome {
  const work = new Work();
  const failed = (code: string, message: string) => ({
    ...failedAttempt(node, report, { code, message, kind: 'USER' }),
    steps: work.steps,
  });
  const given = { plain: report.outputs ?? {}, literals: report.outputLiterals ?? {} };
  const checked = readGivenOutputs(node.outputs, given, work);
  if (!checked.ok) {
    const isTooLarge = checked.problems.some(({ code }) => code === 'TooLarge');
    return failed(isTooLarge ? 'OutputsTooLarge' : 'OutputsInvalid', faultsText(checked.problems));
  }
  const outputBytes = literalBytes(checked.value);
  if (outputBytes > limitBytes)
    return failed(
      'OutputsTooLarge',
      `the outputs take more than ${limitBytes} bytes as literals; write large data to a file`,
    );
  return { phase: 'SUCCEEDED', outputs: checked.value, outputBytes, steps: work.steps, error: null };
}

const faultsText = (problems: readonly Problem[]) =>
  problems
    .slice(0, 20)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('; ');

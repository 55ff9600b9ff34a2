import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Variable } from '../../values/literal-types.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { coerceToLiteral } from '../../values/plain-values.ts';
import { literalBytes } from './limits.ts';

export interface AttemptError {
  readonly code: string;
  readonly message: string;
  readonly kind: 'USER' | 'SYSTEM' | 'UNKNOWN';
}

/** What is reported of one attempt. */
export interface TaskEvent {
  readonly nodeExecutionId: string;
  readonly attempt: number;
  readonly phase: Exclude<TaskExecutionPhase, 'RETRYABLE_FAILED'>;
  readonly at: Date;
  readonly reason: string | null;
  readonly error: AttemptError | null;
  /** Plain values by name, of SUCCEEDED; checked here against the task's interface. */
  readonly outputs: Readonly<Record<string, unknown>> | null;
}

/** What becomes of an attempt, once what was reported is judged. */
export interface AttemptOutcome {
  readonly phase: TaskExecutionPhase;
  readonly outputs: LiteralMap | null;
  /** Size of the outputs' literals. */
  readonly outputBytes: number;
  readonly error: AttemptError | null;
}

/**
 * Judges a report: a success whose outputs are not what the task promises (`OutputsInvalid`), or whose literals are
 * larger than `outputLimitBytes` (`OutputsTooLarge`), is a failure of the user's code; a failure of the user's code is
 * RETRYABLE_FAILED while the node has retries left. Failures of the system are never retried here: their retries are
 * the job's.
 */
export function judgeAttempt(
  node: {
    readonly retries: number;
    readonly outputs: Readonly<Record<string, Variable>>;
  },
  report: Pick<TaskEvent, 'phase' | 'attempt' | 'error' | 'outputs'>,
  outputLimitBytes: number,
): AttemptOutcome {
  if (report.phase === 'SUCCEEDED') {
    const checked = checkOutputs(node.outputs, report.outputs ?? {});
    if ('error' in checked) return failedAttempt(node, report, checked.error);
    const { outputs } = checked;
    const outputBytes = literalBytes(outputs);
    if (outputBytes > outputLimitBytes) return failedAttempt(node, report, tooLarge(outputLimitBytes));
    return { phase: 'SUCCEEDED', outputs, outputBytes, error: null };
  }
  if (report.phase === 'FAILED') return failedAttempt(node, report, report.error ?? unknownError);
  return { phase: report.phase, outputs: null, outputBytes: 0, error: null };
}

const unknownError: AttemptError = {
  code: 'Unknown',
  message: 'it failed without saying why',
  kind: 'UNKNOWN',
};

const tooLarge = (limitBytes: number): AttemptError => ({
  code: 'OutputsTooLarge',
  message: `the outputs take more than ${limitBytes} bytes as literals; write a file instead`,
  kind: 'USER',
});

/** What becomes of an attempt that failed: retried, where its user's code is at fault and the node has retries left. */
export function failedAttempt(
  node: { readonly retries: number },
  { attempt }: { readonly attempt: number },
  error: AttemptError,
): AttemptOutcome {
  const isRetried = error.kind === 'USER' && attempt < node.retries;
  return { phase: isRetried ? 'RETRYABLE_FAILED' : 'FAILED', outputs: null, outputBytes: 0, error };
}

function checkOutputs(
  promised: Readonly<Record<string, Variable>>,
  given: Readonly<Record<string, unknown>>,
): { outputs: LiteralMap } | { error: AttemptError } {
  const outputs: Record<string, LiteralMap[string]> = {};
  const faults: string[] = [];
  for (const [name, variable] of Object.entries(promised)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const result = coerceToLiteral(variable.type, value, [name]);
    if (result.ok) outputs[name] = result.value;
    else faults.push(...result.problems.map((problem) => `${problem.path.join('.')}: ${problem.message}`));
  }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(promised, name)) faults.push(`${name}: the task has no output of this name`);
  if (faults.length === 0) return { outputs };
  return {
    error: {
      code: 'OutputsInvalid',
      message: faults.slice(0, 20).join('; '),
      kind: 'USER',
    },
  };
}

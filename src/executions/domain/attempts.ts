import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Variable } from '../../registry/domain/literal-types.ts';
import type { LiteralMap } from '../../registry/domain/literals.ts';
import { coerceToLiteral } from '../../registry/domain/plain-values.ts';

interface AttemptError {
  readonly code: string;
  readonly message: string;
  readonly kind: 'USER' | 'SYSTEM' | 'UNKNOWN';
}

/** What becomes of an attempt, once what was reported is judged. */
export interface AttemptOutcome {
  readonly phase: TaskExecutionPhase;
  readonly outputs: LiteralMap | null;
  readonly error: AttemptError | null;
}

/**
 * Judges a report: a success whose outputs are not what the task promises is a failure of the user's code
 * (`OutputsInvalid`); a failure of the user's code is RETRYABLE_FAILED while the node has retries left. Failures of the
 * system are never retried here: their retries are the job's.
 */
export function judgeAttempt(
  node: {
    readonly retries: number;
    readonly outputs: Readonly<Record<string, Variable>>;
  },
  report: {
    readonly phase: Exclude<TaskExecutionPhase, 'RETRYABLE_FAILED'>;
    readonly attempt: number;
    readonly error: AttemptError | null;
    readonly outputs: Readonly<Record<string, unknown>> | null;
  },
): AttemptOutcome {
  if (report.phase === 'SUCCEEDED') {
    const checked = checkOutputs(node.outputs, report.outputs ?? {});
    if ('outputs' in checked) return { phase: 'SUCCEEDED', outputs: checked.outputs, error: null };
    return failed(node.retries, report.attempt, checked.error);
  }
  if (report.phase === 'FAILED') return failed(node.retries, report.attempt, report.error ?? unknownError);
  return { phase: report.phase, outputs: null, error: null };
}

const unknownError: AttemptError = {
  code: 'Unknown',
  message: 'it failed without saying why',
  kind: 'UNKNOWN',
};

function failed(retries: number, attempt: number, error: AttemptError): AttemptOutcome {
  const isRetried = error.kind === 'USER' && attempt < retries;
  return {
    phase: isRetried ? 'RETRYABLE_FAILED' : 'FAILED',
    outputs: null,
    error,
  };
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

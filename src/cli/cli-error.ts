import type { ErrorCode } from '../platform/errors.ts';

interface Details {
  readonly cause?: unknown;
  /** Each problem or difference, with its path. */
  readonly problems?: readonly string[];
  /** What the user can do. */
  readonly hint?: string;
  /** Instead of the exit code that the code has. */
  readonly exitCode?: number;
}

/** The exit code of the process. 0 is success, and 130 is an interrupt. */
const exitCodes: Readonly<Record<ErrorCode, number>> = {
  INTERNAL: 1,
  UNIMPLEMENTED: 1,
  INVALID_ARGUMENT: 2,
  NOT_FOUND: 3,
  UNAUTHENTICATED: 4,
  PERMISSION_DENIED: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 6,
  ABORTED: 6,
  UNAVAILABLE: 7,
  DEADLINE_EXCEEDED: 7,
  RESOURCE_EXHAUSTED: 10,
};

/** An error that ends the command, with one of the server's codes. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: ErrorCode;
  readonly problems: readonly string[];
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, { cause, problems = [], hint, exitCode }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.problems = problems;
    this.hint = hint;
    this.exitCode = exitCode ?? exitCodes[code];
  }
}

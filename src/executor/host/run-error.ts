import type { ErrorKind } from './runtime.ts';

/**
 * Ends a run as FAILED. The steps of a run throw it, and one place turns it into the outcome.
 * Users see the message: it names inputs, outputs and arguments, but no paths of this machine.
 */
export class RunError extends Error {
  override name = this.constructor.name;
  /** A fixed word for programs, such as `NonZeroExit`. */
  readonly code: string;
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
  }
}

/** The code of a failed system call, such as ENOSPC; null for any other error. */
export function systemErrorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

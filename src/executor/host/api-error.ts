import type { ErrorCode } from '../../platform/errors.ts';

/** What an unanswered, failed or refused call comes to, in the server's codes. */
export class ApiError extends Error {
  override name = this.constructor.name;
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/**
 * Codes that say nothing about the call itself: the server is away, it or the executor is not set up yet, or it failed
 * within. The same call may well succeed later; all of ours may be repeated.
 */
const passing: ReadonlySet<ErrorCode> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'INTERNAL',
  'UNAUTHENTICATED',
]);

export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && passing.has(error.code);
}

/** For answers that bear no code of ours: a proxy's, or those to a file's address. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413) return 'RESOURCE_EXHAUSTED';
  return status >= 500 || status === 408 || status === 429 ? 'UNAVAILABLE' : 'INVALID_ARGUMENT';
}

/** What fetch threw, as an error of a call; anything else, an abort that the caller asked for included, as it is. */
export function unanswered(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return error;
  if (error instanceof Error && error.name === 'TimeoutError')
    return new ApiError('DEADLINE_EXCEEDED', 'no answer in time', { cause: error });
  // The word of fetch for every failure of the network.
  if (error instanceof TypeError) return new ApiError('UNAVAILABLE', 'no answer', { cause: error });
  return error;
}

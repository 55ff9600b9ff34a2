import type { ErrorCode } from '../../platform/errors.ts';

interface Options {
  readonly cause?: unknown;
  /** What the server asks to wait before the same call is made again. */
  readonly retryAfterMs?: number | null;
  /** The call was judged and refused: the same one will be refused again. */
  readonly isFinal?: boolean;
}

/** What an unanswered, failed or refused call comes to, in the server's codes. */
export class ApiError extends Error {
  override name = this.constructor.name;
  readonly code: ErrorCode;
  readonly retryAfterMs: number | null;
  /** Whether the same call may succeed later. All of ours may be repeated. */
  readonly mayPass: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    { cause, retryAfterMs = null, isFinal = false }: Options = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.mayPass = !isFinal && passing.has(code);
  }
}

/**
 * Codes that say nothing about the call itself: the server is away, has too much to do, failed within, or it or the
 * executor is not set up yet. In a result union the same codes are about the call: that error is final.
 */
const passing: ReadonlySet<ErrorCode> = new Set([
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'INTERNAL',
  'UNAUTHENTICATED',
]);

export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && error.mayPass;
}

/** The error of an answer that did not succeed. @param told  what its body says, where that is ours. */
export function errorOfResponse(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  told: { readonly code?: ErrorCode | undefined; readonly message?: string } = {},
): ApiError {
  return new ApiError(told.code ?? codeOfStatus(status), told.message ?? `HTTP ${status}`, {
    retryAfterMs: retryAfterMs(headers.get('retry-after')),
    // A request that is too large stays too large.
    isFinal: status === 413,
  });
}

/** For answers that bear no code of ours: a proxy's, or those to a file's address. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413 || status === 429) return 'RESOURCE_EXHAUSTED';
  return status >= 500 || status === 408 ? 'UNAVAILABLE' : 'INVALID_ARGUMENT';
}

/** Nobody is to silence an executor for longer. */
const LONGEST_WAIT_MS = 300_000;

/** RFC 9110: seconds, or a date. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return milliseconds > 0 ? Math.min(milliseconds, LONGEST_WAIT_MS) : null;
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

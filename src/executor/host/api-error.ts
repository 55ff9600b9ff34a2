import type { ErrorCode } from '../../platform/errors.ts';

interface Options {
  readonly cause?: unknown;
  /** How long the server asks to wait before the call is repeated. */
  readonly retryAfterMs?: number | null;
  /** The server has checked the call and refused it. It will refuse the same call again. */
  readonly isFinal?: boolean;
}

/** The error of a call that was refused, failed or was not answered, with one of the server's codes. */
export class ApiError extends Error {
  override name = this.constructor.name;
  readonly code: ErrorCode;
  readonly retryAfterMs: number | null;
  /** Whether the same call may succeed later. All our calls can be repeated. */
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
 * Codes that do not depend on the call: the server is down, has too much to do or has failed, or the server or the
 * executor is not set up yet. In a result union, the same codes are about the call, so they are final.
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

/** The error of an answer that is not successful. @param told  the error in its body, if it is one of ours. */
export function errorOfResponse(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  told: { readonly code?: ErrorCode | undefined; readonly message?: string } = {},
): ApiError {
  return new ApiError(told.code ?? codeOfStatus(status), told.message ?? `HTTP ${status}`, {
    retryAfterMs: retryAfterMs(headers.get('retry-after')),
    // A request that is too large will always be too large.
    isFinal: status === 413,
  });
}

/** For answers without one of our codes, from a proxy or from the URL of a file. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413 || status === 429) return 'RESOURCE_EXHAUSTED';
  return status >= 500 || status === 408 ? 'UNAVAILABLE' : 'INVALID_ARGUMENT';
}

/** The longest time for which an answer can stop an executor from calling again. */
const LONGEST_WAIT_MS = 300_000;

/** RFC 9110: seconds, or a date. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return milliseconds > 0 ? Math.min(milliseconds, LONGEST_WAIT_MS) : null;
}

/** Turns an error of fetch into the error of a call. Other errors, such as an abort of the caller, stay as they are. */
export function unanswered(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return error;
  if (error instanceof Error && error.name === 'TimeoutError')
    return new ApiError('DEADLINE_EXCEEDED', 'no answer in time', { cause: error });
  // fetch throws this for all failures of the network.
  if (error instanceof TypeError) return new ApiError('UNAVAILABLE', 'no answer', { cause: error });
  return error;
}

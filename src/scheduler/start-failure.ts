import { DomainError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';

/** A longer message is cut to this length. */
const MAX_MESSAGE = 1000;

const MAX_RETRY_SECONDS = 60;

/** Why a schedule or trigger could not start an execution, as users see it. */
export interface StartFailure {
  readonly code: string;
  readonly message: string;
}

/** An error that is not about what users did tells no details. */
export function startFailureOf(error: unknown): StartFailure {
  return error instanceof DomainError
    ? { code: error.code, message: error.message.slice(0, MAX_MESSAGE) }
    : { code: 'INTERNAL', message: 'the server failed to create the execution' };
}

/** How long to wait before the next attempt: twice as long each time, up to a minute. */
export const retrySecondsAfter = (attempts: number): number => Math.min(2 ** attempts, MAX_RETRY_SECONDS);

/**
 * Writes a failed start to the log: what users did wrong as a warning, what is wrong in the server as an error.
 *
 * @param outcome  what has become of it, such as `slot given up`.
 */
export function logStartFailure(error: unknown, outcome: string, detail: object): void {
  if (error instanceof DomainError) log.warn({ ...detail, code: error.code }, outcome);
  else log.error({ ...detail, err: error }, outcome);
}

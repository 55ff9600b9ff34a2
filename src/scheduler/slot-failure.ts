import { DomainError } from '../platform/errors.ts';

/** A longer message is cut to this length. */
const MAX_MESSAGE = 1000;

/** Why a slot has no execution, as users see it. An error that is not about what they did tells no details. */
export function slotFailureOf(error: unknown): { readonly code: string; readonly message: string } {
  return error instanceof DomainError
    ? { code: error.code, message: error.message.slice(0, MAX_MESSAGE) }
    : { code: 'INTERNAL', message: 'the server failed to create the execution' };
}

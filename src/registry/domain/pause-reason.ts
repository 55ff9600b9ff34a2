import { InvalidArgumentError } from '../../platform/errors.ts';

const MAX_REASON = 500;

/** @throws InvalidArgumentError for an empty or long reason of a pause. */
export function checkPauseReason(reason: string): void {
  if (reason.trim() === '' || reason.length > MAX_REASON)
    throw InvalidArgumentError.of(['input', 'reason'], `must have 1 to ${MAX_REASON} characters`);
}

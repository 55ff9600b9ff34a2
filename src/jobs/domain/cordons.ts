import { MAX_REASON } from './job-changes.ts';

/** Why a text cannot be the reason of a cordon of an executor or node; null if it can. */
export function cordonReasonFault(reason: string | null): string | null {
  if (reason === null || reason.trim() === '') return 'a cordon needs a reason';
  return reason.length > MAX_REASON ? `must have at most ${MAX_REASON} characters` : null;
}

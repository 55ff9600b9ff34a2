import type { Caller } from '../platform/caller.ts';
import { effectiveLevel, isAtLeast } from './domain/roles.ts';

/** As much of a caller as decides what its lists show. */
export type Reader = Pick<Caller, 'tenantId' | 'role' | 'defaultLevel'>;

/** Whether the caller may read every object of its own tenant: the condition that lists put into their SQL. */
export function mayReadAll(caller: Reader): boolean {
  return isAtLeast(effectiveLevel(caller, caller), 'READ');
}

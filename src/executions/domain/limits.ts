import type { LiteralMap } from '../../values/literals.ts';

/**
 * What one turn of the scheduler moves at most, in bytes of literals; a single value map that is larger goes alone.
 * PostgreSQL takes no JSON text beyond 256 MiB, and a turn must end long before its transaction's time is up.
 */
export const MAX_TURN_BYTES = 16 * 1024 * 1024;

/**
 * What one turn checks, in steps of values' work (`MAX_STEPS`): when they are taken, the rest waits for another turn. A
 * turn is one piece of work that holds up everybody else's.
 */
export const MAX_TURN_STEPS = 250_000;

/** Size of values in their full form, which is what is stored: up to twenty times that of the plain one. */
export function literalBytes(values: LiteralMap): number {
  return Buffer.byteLength(JSON.stringify(values));
}

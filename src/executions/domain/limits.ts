import type { LiteralMap } from '../../values/literals.ts';

/**
 * What one turn of the scheduler moves at most, in bytes of literals; a single value map that is larger goes alone.
 * PostgreSQL takes no JSON text beyond 256 MiB, and a turn must end long before its transaction's time is up.
 */
export const MAX_TURN_BYTES = 16 * 1024 * 1024;

/** Size of values in their full form, which is what is stored: up to twenty times that of the plain one. */
export function literalBytes(values: LiteralMap): number {
  return Buffer.byteLength(JSON.stringify(values));
}

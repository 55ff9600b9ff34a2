import type { LiteralMap } from '../../values/literals.ts';

/**
 * How many bytes of literals one turn of the scheduler moves. A single map of values that is larger gets its own turn.
 * PostgreSQL accepts JSON texts up to 256 MiB, and a turn must end long before the time limit of its transaction.
 */
export const MAX_TURN_BYTES = 16 * 1024 * 1024;

/** How many executions may be above one, so that a launch plan that starts itself ends. */
export const MAX_NESTING = 32;

/**
 * How many steps of checking values one turn makes (`MAX_STEPS`). When they are used up, the rest waits for another
 * turn, because a turn delays everything else.
 */
export const MAX_TURN_STEPS = 250_000;

/** The size of values as literals, the stored form. It can be twenty times the size of the plain values. */
export function literalBytes(values: LiteralMap): number {
  return Buffer.byteLength(JSON.stringify(values));
}

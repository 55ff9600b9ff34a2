import type { Level } from '../../generated/prisma/enums.ts';

/** All levels, lowest first. Source: MLflow's permission levels, with USE from its later versions. */
export const levels: readonly Level[] = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];

export function isAtLeast(level: Level, wanted: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(wanted);
}

export function lower(one: Level, other: Level): Level {
  return isAtLeast(one, other) ? other : one;
}

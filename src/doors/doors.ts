import type { Door } from './door.ts';
import { hydra } from './hydra/hydra.ts';

/** All doors, by the name that `DOORS` has for them. */
export const doors = { hydra } satisfies Record<string, Door>;

export type DoorName = keyof typeof doors;

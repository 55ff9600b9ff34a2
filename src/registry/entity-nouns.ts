import type { EntityType } from '../generated/prisma/enums.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';

/** What messages call the versions of each type. */
export const entityNouns = {
  TASK: 'task',
  WORKFLOW: 'workflow',
  LAUNCH_PLAN: 'launch plan',
} as const satisfies Readonly<Record<EntityType, ObjectKind>>;

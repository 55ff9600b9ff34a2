import type { LifecycleStage } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';

/** Of experiments, runs and registered models. */
export const LifecycleStageEnum = builder.enumType('LifecycleStage', {
  description: 'A DELETED one keeps its name, its permissions and what it holds, and can be restored.',
  values: ['ACTIVE', 'DELETED'] as const,
});

export const LifecycleFilterEnum = builder.enumType('LifecycleFilter', {
  description: 'Which stages a list shows.',
  values: ['ACTIVE', 'DELETED', 'ALL'] as const,
});

/** @returns null for all. */
export const stageOf = (filter: LifecycleStage | 'ALL' | null | undefined): LifecycleStage | null =>
  filter === 'ALL' ? null : (filter ?? 'ACTIVE');

import type { Target } from '../../access/domain/resources.ts';

/** What decides about an experiment and its runs: its own grants, then its project's. */
export const experimentTarget = (experiment: {
  id: string;
  tenantId: string;
  projectId: string;
  publicAt: Date | null;
}): Target => ({
  tenantId: experiment.tenantId,
  resources: [
    { type: 'EXPERIMENT', id: experiment.id },
    { type: 'PROJECT', id: experiment.projectId },
  ],
  isPublic: experiment.publicAt !== null,
});

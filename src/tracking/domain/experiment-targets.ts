import type { Target } from '../../authorization/domain/resources.ts';

/** What decides about an experiment: its own grants, then its project. While it is public, everyone reads it. */
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

/** A run is its experiment's. */
export const runTarget = (run: {
  experimentId: string;
  tenantId: string;
  projectId: string;
  publicAt: Date | null;
}): Target => experimentTarget({ ...run, id: run.experimentId });

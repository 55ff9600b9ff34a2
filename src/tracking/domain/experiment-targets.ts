import type { Target } from '../../authorization/domain/resources.ts';

/**
 * The grants on an experiment decide about it, and then those on its project. While it is public, everybody may read
 * it.
 */
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

/** A run has the target of its experiment. */
export const runTarget = (run: {
  experimentId: string;
  tenantId: string;
  projectId: string;
  publicAt: Date | null;
}): Target => experimentTarget({ ...run, id: run.experimentId });

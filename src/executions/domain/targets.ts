import type { Target } from '../../authorization/domain/resources.ts';

/**
 * The grants on its workflow decide about an execution, its nodes and their attempts, and then those on its project.
 */
export const executionTarget = (execution: {
  tenantId: string;
  projectId: string;
  workflowEntityId: string;
}): Target => ({
  tenantId: execution.tenantId,
  resources: [
    { type: 'WORKFLOW', id: execution.workflowEntityId },
    { type: 'PROJECT', id: execution.projectId },
  ],
});

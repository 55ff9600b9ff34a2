import type { Target } from '../../authorization/domain/resources.ts';

/** What decides about an execution, its nodes and their attempts: the workflow that it runs, then its project. */
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

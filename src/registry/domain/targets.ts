import type { Target } from '../../authorization/domain/resources.ts';

interface InProject {
  readonly tenantId: string;
  readonly projectId: string;
}

/** What decides about a task: its project. */
export const taskTarget = ({ tenantId, projectId }: InProject): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id: projectId }],
});

/** What decides about all versions of a workflow: its name, then its project. */
export const workflowTarget = ({
  tenantId,
  projectId,
  entityId,
}: InProject & { entityId: string }): Target => ({
  tenantId,
  resources: [
    { type: 'WORKFLOW', id: entityId },
    { type: 'PROJECT', id: projectId },
  ],
});

/** The same, of a workflow's name in its project. */
export const workflowNameTarget = (
  { id: projectId, tenantId }: { id: string; tenantId: string },
  { id: entityId }: { id: string },
): Target => workflowTarget({ tenantId, projectId, entityId });

/** What decides about a launch plan: the workflow that it launches, then its own project. */
export const launchPlanTarget = ({
  workflowEntityId,
  ...plan
}: InProject & { workflowEntityId: string }): Target =>
  workflowTarget({ ...plan, entityId: workflowEntityId });

import type { Target } from '../../authorization/domain/resources.ts';

interface InProject {
  readonly tenantId: string;
  readonly projectId: string;
}

/** The grants on its project decide about a task. */
export const taskTarget = ({ tenantId, projectId }: InProject): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id: projectId }],
});

/** The grants on its name decide about all versions of a workflow, and then those on its project. */
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

/** The same for the name of a workflow in its project. */
export const workflowNameTarget = (
  { id: projectId, tenantId }: { id: string; tenantId: string },
  { id: entityId }: { id: string },
): Target => workflowTarget({ tenantId, projectId, entityId });

/** The grants on the workflow that it launches decide about a launch plan, and then those on its own project. */
export const launchPlanTarget = ({
  workflowEntityId,
  ...plan
}: InProject & { workflowEntityId: string }): Target =>
  workflowTarget({ ...plan, entityId: workflowEntityId });

/**
 * What decides about the name of a task, workflow or launch plan, and about a description: the grants on the workflow,
 * if there is one, and then those on the project.
 */
export const nameTarget = ({
  workflowEntityId,
  ...name
}: InProject & { workflowEntityId: string | null }): Target =>
  workflowEntityId === null ? taskTarget(name) : workflowTarget({ ...name, entityId: workflowEntityId });

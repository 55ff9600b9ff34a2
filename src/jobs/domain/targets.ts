import type { Resource, Target } from '../../authorization/domain/resources.ts';

/** The grants on a queue decide about it; for the queue of a project, then those on the project. */
export const queueTarget = (queue: { id: string; tenantId: string; projectId: string | null }): Target => ({
  tenantId: queue.tenantId,
  resources: [{ type: 'QUEUE', id: queue.id }, ...inProject(queue.projectId)],
});

/**
 * The grants on the workflow of its execution decide about a job and its runs, then those on its queue, then those on
 * its project.
 */
export const jobTarget = (job: {
  tenantId: string;
  queueId: string;
  projectId: string | null;
  workflowEntityId: string | null;
}): Target => ({
  tenantId: job.tenantId,
  resources: [
    ...(job.workflowEntityId ? [{ type: 'WORKFLOW', id: job.workflowEntityId } as const] : []),
    { type: 'QUEUE', id: job.queueId },
    ...inProject(job.projectId),
  ],
});

const inProject = (id: string | null): Resource[] => (id ? [{ type: 'PROJECT', id }] : []);

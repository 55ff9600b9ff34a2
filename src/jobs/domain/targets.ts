import type { Resource, Target } from '../../authorization/domain/resources.ts';

/** What decides about a queue: its own grants; a project's queue is also its project's. */
export const queueTarget = (queue: { id: string; tenantId: string; projectId: string | null }): Target => ({
  tenantId: queue.tenantId,
  resources: [{ type: 'QUEUE', id: queue.id }, ...inProject(queue.projectId)],
});

/** What decides about a job and its runs: the workflow whose execution it is part of, its queue, its project. */
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

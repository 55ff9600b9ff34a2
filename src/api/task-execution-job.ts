import { clientIdOf } from '../executions/domain/client-id.ts';
import { TaskExecutionType } from '../executions/graphql/task-execution.ts';
import { builder } from '../graphql/builder.ts';
import { guardedEdge } from '../graphql/guarded-edge.ts';
import { jobTarget } from '../jobs/domain/targets.ts';
import { JobType } from '../jobs/graphql/job.ts';

// This field joins an attempt and its job here, because executions and jobs do not import each other.
builder.objectField(TaskExecutionType, 'job', (t) =>
  t.field({
    type: JobType,
    nullable: true,
    description:
      'The job that runs the attempt, with its leases and logs. Null if there is no job, or if it is hidden from you.',
    resolve: guardedEdge(
      'job:read',
      (task, { loaders }) =>
        loaders.jobByClientId.load({
          ownerId: task.executionId,
          clientId: clientIdOf(task.nodeExecutionId, task.retryAttempt),
        }),
      jobTarget,
    ),
  }),
);

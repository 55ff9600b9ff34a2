import { isAllowed } from '../authorization/can.ts';
import { attemptOf, clientIdOf } from '../executions/domain/client-id.ts';
import { executionTarget } from '../executions/domain/targets.ts';
import { TaskExecutionType } from '../executions/graphql/task-execution.ts';
import type { TaskExecutionRow } from '../executions/store/reads.ts';
import { builder } from '../graphql/builder.ts';
import { type Context, callerOf } from '../graphql/context.ts';
import { guardedEdge } from '../graphql/guarded-edge.ts';
import { jobTarget } from '../jobs/domain/targets.ts';
import { JobType } from '../jobs/graphql/job.ts';
import type { JobRow } from '../jobs/store/reads.ts';

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

builder.objectField(JobType, 'taskExecution', (t) =>
  t.field({
    type: TaskExecutionType,
    nullable: true,
    description: 'The attempt that the job runs; null if it runs none, or if the attempt is hidden from you.',
    resolve: findAttempt,
  }),
);

/** Null for a job without an execution, whatever its client id looks like. */
async function findAttempt(
  { setOwnerId, clientId }: JobRow,
  _args: object,
  context: Context,
): Promise<TaskExecutionRow | null> {
  const key = attemptOf(clientId);
  if (setOwnerId === null || !key) return null;
  const { loaders } = context;
  let attempt: TaskExecutionRow | null = null;
  const target = async () => {
    const [execution, found] = await Promise.all([
      loaders.execution.load({ id: setOwnerId }),
      loaders.taskExecutionByAttempt.load({
        nodeExecutionId: key.nodeExecutionId,
        retryAttempt: key.attempt,
      }),
    ]);
    attempt = found?.executionId === setOwnerId ? found : null;
    return attempt && execution && executionTarget(execution);
  };
  return (await isAllowed(callerOf(context), 'execution:read', { target })) ? attempt : null;
}

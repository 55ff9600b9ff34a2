import { getAllowed } from '../../authorization/get-allowed.ts';
import type { Project } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { findProject } from '../../projects/store.ts';
import { ensureSingleTaskPlan } from '../../registry/commands/ensure-single-task-plan.ts';
import { taskTarget } from '../../registry/domain/targets.ts';
import { findTask, type VersionBy } from '../../registry/store.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { createExecution, type ExecutionRequest } from './create-execution.ts';

const path = ['input', 'task'];

/**
 * Starts an execution of a single task. The server makes a workflow with one node around the task, and a launch plan,
 * which later executions of this version use again. This requires USE on the project of the task, and on the project
 * where it runs.
 *
 * @param project  where it runs. The caller may read the project, or a workflow in it.
 * @throws NotFoundError for the task; the errors of `createExecution`. Source: Flyte's CreateExecution with a task.
 */
export async function createTaskExecution(
  caller: Caller,
  project: Project,
  by: VersionBy,
  request: Omit<ExecutionRequest, 'launchPlan' | 'taskId'>,
): Promise<ExecutionRow> {
  requireOpenProject(project, request.domain, ['input']);
  const task = await getAllowed(caller, 'task:use', {
    kind: 'task',
    key: addressText(by),
    path,
    find: () => findTask(caller.tenantId, by),
    targetOf: taskTarget,
  });
  const home =
    task.projectId === project.id ? project : await findProject(caller.tenantId, { id: task.projectId });
  if (!home) throw new NotFoundError('task', addressText(by), path);
  const plan = await ensureSingleTaskPlan(home, task);
  return await createExecution(caller, project, {
    ...request,
    launchPlan: { by: { id: plan.id }, find: async () => plan },
    taskId: task.id,
  });
}

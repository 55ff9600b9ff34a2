import type { LaunchPlan, Project, Task } from '../../generated/prisma/client.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { digestOf } from '../domain/digest.ts';
import { compileLaunchPlan } from '../domain/launch-plan.ts';
import { singleTaskName, singleTaskWorkflow } from '../domain/single-task-workflow.ts';
import type { CompiledTask, TaskTemplate } from '../domain/task-templates.ts';
import { keepVersions } from '../store/references.ts';
import { ensureNamedEntity, findLaunchPlan, idsByKey } from '../store.ts';

/**
 * Finds or creates the workflow and the launch plan that run one task. They have a reserved name, the version of the
 * task, and the state SYSTEM_GENERATED. The launch plan stays INACTIVE. If several callers need them at the same time,
 * all of them get the same ones. Source: Flyte's executions of single tasks.
 *
 * @param project  the project of the task.
 * @throws NotFoundError if the task was deleted after it had been read.
 */
export async function ensureSingleTaskPlan(project: Project, task: Task): Promise<LaunchPlan> {
  const key = {
    project: project.identifier,
    domain: task.domain,
    name: singleTaskName(task.name),
    version: task.version,
  };
  const find = () => findLaunchPlan(task.tenantId, { key });
  const known = await find();
  if (known) return known;
  try {
    return await inTransaction((tx) => createBoth(tx, project, task, key.name));
  } catch (error) {
    const other = isUniqueViolation(error) ? await find() : null;
    if (other) return other;
    throw error;
  }
}

async function createBoth(tx: Tx, project: Project, task: Task, name: string): Promise<LaunchPlan> {
  const { tenantId, domain, version } = task;
  if (!(await keepVersions(tx, 'TASK', [task.id])))
    throw new NotFoundError('task', task.name, ['input', 'task']);
  const ofTask = { project: project.identifier, domain, name: task.name, version };
  const compiled: CompiledTask = { id: ofTask, template: task.template as unknown as TaskTemplate };
  const closure = singleTaskWorkflow(compiled);
  const { interface: signature } = closure.primary.template;
  const place = { tenantId, projectId: project.id, domain, name, version };
  const nameOf = (type: 'WORKFLOW' | 'LAUNCH_PLAN') =>
    ensureNamedEntity(tx, project, type, { domain, name }, 'SYSTEM_GENERATED');
  const workflowName = await nameOf('WORKFLOW');
  // If only the launch plan was deleted, the workflow still exists.
  const known = await tx.workflow.findFirst({ where: place });
  const made = () =>
    tx.workflow.create({
      data: {
        id: newId(),
        entityId: workflowName.id,
        ...place,
        interface: signature as object,
        closure: closure as object,
        taskIds: idsByKey([{ id: task.id, compiled }]),
        digest: digestOf(closure),
      },
    });
  const workflow = known ?? (await made());
  const { expectedInputs, fixedInputs, inputOrder } = compileLaunchPlan(signature, {});
  const document = {
    workflowId: { ...ofTask, name },
    workflowDigest: workflow.digest,
    expectedInputs,
    fixedInputs,
  };
  return await tx.launchPlan.create({
    data: {
      id: newId(),
      entityId: (await nameOf('LAUNCH_PLAN')).id,
      ...place,
      workflowId: workflow.id,
      workflowEntityId: workflowName.id,
      spec: document as object,
      expectedInputs: expectedInputs as object,
      fixedInputs: fixedInputs as object,
      expectedOutputs: signature.outputs as object,
      inputOrder: [...inputOrder],
      digest: digestOf(document),
    },
  });
}

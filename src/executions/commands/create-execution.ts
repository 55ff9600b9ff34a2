import { serviceExecutionConfig } from '../../attributes/domain/execution-config.ts';
import { refusal } from '../../authorization/can.ts';
import { getAllowed } from '../../authorization/get-allowed.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import type { ExecutionEngine, LaunchPlan, Project } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { type DomainError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { effectiveInputs } from '../../registry/domain/effective-inputs.ts';
import type { LaunchPlanInputs } from '../../registry/domain/launch-plan.ts';
import { launchPlanTarget } from '../../registry/domain/targets.ts';
import type { VersionBy } from '../../registry/store.ts';
import { defaultQueueName } from '../domain/default-queue.ts';
import { executionNameProblem, generatedExecutionName } from '../domain/execution-name.ts';
import { frozenNotifications, type NotificationRequest } from '../domain/frozen-notifications.ts';
import { executionTarget } from '../domain/targets.ts';
import { insertExecution, type NewExecution } from '../store/create.ts';
import { type ExecutionRow, readExecutions } from '../store/reads.ts';
import { firstFew, missingFiles } from './check-files.ts';

export interface ExecutionRequest extends NotificationRequest {
  readonly domain: string;
  readonly name: string | null;
  readonly launchPlan: {
    readonly by: VersionBy;
    find(): Promise<LaunchPlan | null>;
  };
  /** Plain values by name. */
  readonly inputs: unknown;
  /** The same inputs as Flyte's literals. An input is in only one of the two. */
  readonly inputLiterals: unknown;
  readonly maxParallelism: number | null;
  readonly engine: ExecutionEngine;
  /** The slot of a schedule, for an execution that a schedule starts. */
  readonly scheduled?: {
    readonly at: Date;
    /** Stores the progress of the schedule, in the transaction that stores the execution. */
    record(tx: Tx): Promise<void>;
  };
}

/** How many nodes run at the same time by default. Source: Flyte's service default. */
export const DEFAULT_MAX_PARALLELISM = serviceExecutionConfig.maxParallelism;

/**
 * Starts an execution of a launch plan. Its version need not be active. The execution is QUEUED, and the scheduler
 * starts it at once. This requires USE on the workflow of the launch plan, and on the project if the launch plan
 * belongs to another project.
 *
 * @param project  where it runs. The caller may read the project, or a workflow in it.
 * @throws NotFoundError for the launch plan; InvalidArgumentError with all problems of the name and the inputs;
 * AlreadyExistsError if the name is taken. If two callers ask for a name at the same time, only one gets it.
 * Source: Flyte's CreateExecution.
 */
export async function createExecution(
  caller: Caller,
  project: Project,
  request: ExecutionRequest,
): Promise<ExecutionRow> {
  const { tenantId } = caller;
  requireOpenProject(project, request.domain, ['input']);
  const plan = await getAllowed(caller, 'launchPlan:use', {
    kind: 'launch plan',
    key: addressText(request.launchPlan.by),
    path: ['input', 'launchPlan'],
    find: () => request.launchPlan.find(),
    targetOf: launchPlanTarget,
  });
  if (plan.projectId !== project.id) await requireMayUse(caller, project);

  const nameProblem = request.name === null ? null : executionNameProblem(request.name, ['input', 'name']);
  const effective = effectiveInputs(plan as unknown as LaunchPlanInputs, request);
  const notified = frozenNotifications(request, plan.spec);
  const outcomes = [effective, notified].flatMap((one) => (one.ok ? [] : one.problems));
  const problems = [...(nameProblem ? [nameProblem] : []), ...outcomes];
  if (request.maxParallelism !== null && request.maxParallelism < 0)
    problems.push({
      path: ['input', 'maxParallelism'],
      code: 'InvalidValue',
      message: 'must not be negative',
    });
  if (problems.length > 0 || !effective.ok || !notified.ok) throw new InvalidArgumentError(problems);
  const missing = await missingFiles({ tenantId, projectId: project.id }, effective.value.inputs);
  if (missing.length > 0) throw new NotFoundError('file', firstFew(missing), ['input', 'inputs']);

  const name = request.name ?? generatedExecutionName();
  const { domain, scheduled } = request;
  const made: NewExecution = {
    id: newId(),
    tenantId,
    projectId: project.id,
    domain,
    name,
    launchPlanId: plan.id,
    workflowId: plan.workflowId,
    workflowEntityId: plan.workflowEntityId,
    principalId: caller.userId,
    queue: defaultQueueName(project.identifier, domain),
    maxParallelism: request.maxParallelism ?? DEFAULT_MAX_PARALLELISM,
    engine: request.engine,
    userInputs: effective.value.userInputs,
    inputs: effective.value.inputs,
    notifications: notified.value.length > 0 ? notified.value : null,
    ...(scheduled ? { mode: 'SCHEDULED', scheduledAt: scheduled.at } : {}),
  };
  const execution = scheduled
    ? await inTransaction(async (tx) => {
        await scheduled.record(tx);
        return await insertExecution(made, tx);
      })
    : await insertExecution(made);
  if (!execution) throw await takenName(caller, { project: project.identifier, domain, name });
  caller.log.info({ executionId: execution.id, project: project.identifier }, 'execution created');
  return execution;
}

/** The grants on a workflow of another project do not count for this project, whose queue the execution uses. */
async function requireMayUse(caller: Caller, project: Project): Promise<void> {
  const refused = await refusal(caller, 'execution:create', {
    kind: 'project',
    key: project.identifier,
    target: async () => projectTarget(project),
    // The caller may know the project, because the rule has checked that.
    within: async () => true,
  });
  if (refused) throw refused;
}

async function takenName(
  caller: Caller,
  key: { readonly project: string; readonly domain: string; readonly name: string },
): Promise<DomainError> {
  const [holder] = await readExecutions(caller.tenantId, [{ key }]);
  return await nameConflict(caller, holder ? executionTarget(holder) : null, {
    kind: 'execution',
    name: key.name,
    path: ['input', 'name'],
  });
}

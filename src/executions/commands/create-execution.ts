import { requireMay } from '../../authorization/can.ts';
import type { Caller } from '../../platform/caller.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { getOpenProject } from '../../projects/store.ts';
import { effectiveInputs } from '../../registry/domain/effective-inputs.ts';
import type { LaunchPlanInputs } from '../../registry/domain/launch-plan.ts';
import { launchPlanTarget } from '../../registry/domain/targets.ts';
import { findLaunchPlan, type VersionBy } from '../../registry/store.ts';
import { defaultQueueName } from '../domain/default-queue.ts';
import { executionNameProblem, generatedExecutionName } from '../domain/execution-name.ts';
import { insertExecution } from '../store/create.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { missingFiles } from './check-files.ts';

export interface ExecutionRequest {
  readonly project: string;
  readonly domain: string;
  readonly name: string | null;
  readonly launchPlan: VersionBy;
  /** Plain values by name. */
  readonly inputs: unknown;
  /** The same in Flyte's full form; a name stands in one of the two. */
  readonly inputLiterals: unknown;
  readonly maxParallelism: number | null;
}

/** Nodes side by side when nobody says. Source: Flyte's service default. */
export const DEFAULT_MAX_PARALLELISM = 25;

/**
 * Starts an execution of a launch plan, any version of it, active or not. It is QUEUED; the scheduler takes it up at
 * once.
 *
 * @throws NotFoundError for the launch plan; InvalidArgumentError for everything wrong with name and inputs, together;
 * AlreadyExistsError for a taken name: of two that ask at once for one name, one gets it.
 * Source: Flyte's CreateExecution, workflows.md §6.
 */
export async function createExecution(caller: Caller, request: ExecutionRequest): Promise<ExecutionRow> {
  const { tenantId } = caller;
  const project = await getOpenProject(tenantId, request, ['input']);
  const plan = await findLaunchPlan(tenantId, request.launchPlan);
  const planName = 'id' in request.launchPlan ? request.launchPlan.id : request.launchPlan.key.name;
  if (!plan) throw new NotFoundError('launch plan', planName, ['input', 'launchPlan']);
  await requireMay(caller, 'launchPlan:use', launchPlanTarget(plan), 'launch plan', planName);

  const nameProblem = request.name === null ? null : executionNameProblem(request.name, ['input', 'name']);
  const effective = effectiveInputs(plan as unknown as LaunchPlanInputs, request);
  const problems = [...(nameProblem ? [nameProblem] : []), ...(effective.ok ? [] : effective.problems)];
  if (request.maxParallelism !== null && request.maxParallelism < 0)
    problems.push({
      path: ['input', 'maxParallelism'],
      code: 'InvalidValue',
      message: 'must not be negative',
    });
  if (problems.length > 0 || !effective.ok) throw new InvalidArgumentError(problems);
  const missing = await missingFiles({ tenantId, projectId: project.id }, effective.value.inputs);
  if (missing.length > 0)
    throw new NotFoundError('file', missing.slice(0, 5).join(', '), ['input', 'inputs']);

  const name = request.name ?? generatedExecutionName();
  const execution = await insertExecution({
    id: newId(),
    tenantId,
    projectId: project.id,
    domain: request.domain,
    name,
    launchPlanId: plan.id,
    workflowId: plan.workflowId,
    workflowEntityId: plan.workflowEntityId,
    principalId: caller.userId,
    queue: defaultQueueName(request.project, request.domain),
    maxParallelism: request.maxParallelism ?? DEFAULT_MAX_PARALLELISM,
    userInputs: effective.value.userInputs,
    inputs: effective.value.inputs,
  });
  if (!execution)
    throw new AlreadyExistsError(`an execution named ${name} exists already`, {
      path: ['input', 'name'],
    });
  caller.log.info({ executionId: execution.id, project: request.project }, 'execution created');
  return execution;
}

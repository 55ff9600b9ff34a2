import { getAllowed } from '../../authorization/get-allowed.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { findProject } from '../../projects/store.ts';
import { launchPlanTarget } from '../../registry/domain/targets.ts';
import { findLaunchPlan } from '../../registry/store.ts';
import { executionNameProblem, generatedExecutionName } from '../domain/execution-name.ts';
import { executionPhases } from '../domain/phases.ts';
import { type ExecutionBy, type ExecutionRow, readExecutions } from '../store/reads.ts';
import { insertRecovery } from '../store/recovered.ts';
import { requireMayUse, takenName } from './create-execution.ts';

/**
 * Runs an execution that ended without success again, with the same launch plan, inputs and settings. Nodes that
 * succeeded there are RECOVERED: their outputs count again, and only the others run. A launch plan node recovers the
 * execution that it had started.
 *
 * @throws NotFoundError; FailedPreconditionError with the current phase if the execution still runs or has succeeded;
 * InvalidArgumentError for the name, and if the project is archived; AlreadyExistsError if the name is taken.
 * Source: Flyte's RecoverExecution, which also takes executions that still run.
 */
export async function recoverExecution(
  caller: Caller,
  by: ExecutionBy,
  name: string | null,
): Promise<ExecutionRow> {
  const [source] = await readExecutions(caller.tenantId, [by]);
  const project = source && (await findProject(caller.tenantId, { id: source.projectId }));
  if (!source || !project) throw new NotFoundError('execution', addressText(by), ['input', 'by']);
  requireOpenProject(project, source.domain, ['input', 'by']);
  const plan = await getAllowed(caller, 'launchPlan:use', {
    kind: 'launch plan',
    key: addressText({ id: source.launchPlanId }),
    path: ['input', 'by'],
    find: () => findLaunchPlan(caller.tenantId, { id: source.launchPlanId }),
    targetOf: launchPlanTarget,
  });
  if (plan.projectId !== project.id) await requireMayUse(caller, project);
  const nameProblem = name === null ? null : executionNameProblem(name, ['input', 'name']);
  if (nameProblem) throw new InvalidArgumentError([nameProblem]);
  requireUnsuccessful(source);

  const { domain } = source;
  const recovery = { id: newId(), name: name ?? generatedExecutionName(), principalId: caller.userId };
  const execution = await insertRecovery(source.id, recovery);
  if (!execution) throw await takenName(caller, { project: project.identifier, domain, name: recovery.name });
  caller.log.info({ executionId: execution.id, recovers: source.id }, 'execution created');
  return execution;
}

function requireUnsuccessful({ phase }: ExecutionRow): void {
  if (phase === 'SUCCEEDED')
    throw new FailedPreconditionError('the execution has SUCCEEDED, so there is nothing to recover', {
      current: phase,
    });
  if (!isTerminal(executionPhases, phase))
    throw new FailedPreconditionError(`the execution is ${phase}: wait until it has ended, or abort it`, {
      current: phase,
    });
}

import type { Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import { executionPhases } from '../domain/phases.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { type Repetition, repeatExecution } from './repeat-execution.ts';

/**
 * Runs an execution that ended without success again, with the same version of the launch plan, inputs and settings.
 * Nodes that succeeded there are RECOVERED: their outputs count again, and only the others run. A launch plan node
 * recovers the execution that it had started.
 *
 * @param source  the execution to recover. The caller may read it, and has USE on it.
 * @param project  its project.
 * @throws FailedPreconditionError with the current phase if the execution still runs or has succeeded; the errors of
 * `createExecution`. Source: Flyte's RecoverExecution, which also takes executions that still run.
 */
export async function recoverExecution(
  caller: Caller,
  source: ExecutionRow,
  project: Project,
  recovery: Pick<Repetition, 'name' | 'parent' | 'findLaunchPlan'>,
): Promise<ExecutionRow> {
  const obstacle = recoveryObstacle(source);
  if (obstacle) throw obstacle;
  return await repeatExecution(caller, source, project, { ...recovery, mode: 'RECOVERED' });
}

/** Why an execution cannot be recovered; null if it can. */
export function recoveryObstacle({ phase }: Pick<ExecutionRow, 'phase'>): FailedPreconditionError | null {
  const current = { current: phase };
  if (phase === 'SUCCEEDED')
    return new FailedPreconditionError(
      'the execution has SUCCEEDED, so there is nothing to recover',
      current,
    );
  return isTerminal(executionPhases, phase)
    ? null
    : new FailedPreconditionError(`the execution is ${phase}: wait until it has ended, or abort it`, current);
}

import { getReadableExecution } from '../../executions/commands/get-readable-execution.ts';
import type { ExecutionBy } from '../../executions/store/reads.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { requireActiveProject } from '../../projects/domain/project-checks.ts';
import { generatedRunName } from '../domain/run-name.ts';
import { type Tags, tagProblems } from '../domain/tags.ts';
import { nameProblems } from '../domain/texts.ts';
import type { RunRow } from '../store/runs.ts';
import { lockForRuns } from './experiments.ts';
import { unlessDeleted } from './unless-deleted.ts';

export interface NewRun {
  readonly experimentId: string;
  /** If null, a name is generated. */
  readonly name: string | null;
  /** The execution that does the work; null for none. */
  readonly execution: ExecutionBy | null;
  readonly tags: Tags;
}

/**
 * Creates a run in an experiment and links it to the execution that does its work.
 *
 * @throws InvalidArgumentError with all problems, or `InactiveProject`; NotFoundError for an execution that does not
 * exist, is hidden or belongs to another tenant; FailedPreconditionError while the experiment is deleted.
 */
export async function createRun(caller: Caller, given: NewRun): Promise<RunRow> {
  const problems = [...(given.name === null ? [] : nameProblems(given.name)), ...tagProblems(given.tags)];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const execution =
    given.execution && (await getReadableExecution(caller, given.execution, ['input', 'execution']));
  const store = () =>
    inTransaction(async (tx) => {
      const experiment = await lockForRuns(tx, given.experimentId);
      const { tenantId, projectId, publicAt } = experiment;
      requireActiveProject({ identifier: experiment.project, state: experiment.projectState }, [
        'input',
        'experiment',
      ]);
      const made = await tx.experimentRun.create({
        data: {
          id: newId(),
          tenantId,
          experimentId: experiment.id,
          executionId: execution?.id ?? null,
          name: given.name ?? generatedRunName(),
          tags: given.tags,
          createdById: caller.userId,
        },
      });
      return { ...made, projectId, publicAt };
    });
  return await unlessDeleted(execution, given.execution, store);
}

import { grantCreator } from '../../authorization/grant-creator.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { type DomainError, InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { getActiveProject } from '../../projects/store.ts';
import { experimentTarget } from '../domain/experiment-targets.ts';
import { type Tags, tagProblems } from '../domain/tags.ts';
import { descriptionProblems, isReservedName, nameProblems } from '../domain/texts.ts';
import { type ExperimentKey, type ExperimentRow, readExperiments } from '../store/experiments.ts';

export interface NewExperiment {
  readonly project: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Tags;
}

/**
 * Makes an experiment in a project. Whoever makes it manages it.
 *
 * @throws InvalidArgumentError with every fault, or `NameUnavailable`; AlreadyExistsError for a name that something has
 * which the caller may read, deleted or not. Source: MLflow's create experiment, access.md §1.6.
 */
export async function createExperiment(caller: Caller, given: NewExperiment): Promise<ExperimentRow> {
  const { tenantId } = caller;
  const problems = [
    ...nameProblems(given.name),
    ...descriptionProblems(given.description),
    ...tagProblems(given.tags),
  ];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const project = await getActiveProject(tenantId, given.project, ['input', 'project']);
  const key = { project: given.project, name: given.name };
  await requireFreeName(caller, key);
  const { name, description, tags } = given;
  try {
    return await inTransaction(async (tx) => {
      const made = await tx.experiment.create({
        data: {
          id: newId(),
          tenantId,
          projectId: project.id,
          name,
          description,
          tags,
          createdById: caller.userId,
        },
      });
      await grantCreator(tx, caller, { type: 'EXPERIMENT', id: made.id, name: made.name });
      return { ...made, project: project.identifier, projectState: project.state };
    });
  } catch (error) {
    // Another was quicker: the unique key decides.
    throw isUniqueViolation(error) ? await takenName(caller, key, await findHolder(caller, key)) : error;
  }
}

/**
 * Looks before writing, so that what is taken and what is reserved cost the same.
 *
 * @param ownId  what may have the name: the experiment that is renamed.
 */
export async function requireFreeName(
  caller: Caller,
  key: ExperimentKey,
  ownId: string | null = null,
): Promise<void> {
  const holder = await findHolder(caller, key);
  if (holder ? holder.id !== ownId : isReservedName(key.name)) throw await takenName(caller, key, holder);
}

export async function findHolder(caller: Caller, key: ExperimentKey): Promise<ExperimentRow | null> {
  const [holder = null] = await readExperiments(caller.tenantId, [{ key }]);
  return holder;
}

export const takenName = (
  caller: Caller,
  { name }: ExperimentKey,
  holder: ExperimentRow | null,
): Promise<DomainError> =>
  nameConflict(caller, 'experiment:read', holder && experimentTarget(holder), {
    kind: 'experiment',
    name,
    path: ['input', 'name'],
  });

import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { descriptionProblems, nameProblems } from '../domain/texts.ts';
import type { ExperimentRow } from '../store/experiments.ts';
import { changeExperiment, requireChangeableExperiment } from './change-experiment.ts';
import { findHolder, requireFreeName, takenName } from './create-experiment.ts';

export interface ExperimentChange {
  /** Null: as it is. */
  readonly name: string | null;
  readonly description: string | null;
}

/**
 * Renames an experiment, or describes it anew. Grants are on its id and stay.
 *
 * @throws InvalidArgumentError with every fault, or `NameUnavailable`; AlreadyExistsError; FailedPreconditionError while
 * it is deleted.
 */
export async function updateExperiment(
  caller: Caller,
  experiment: ExperimentRow,
  { name, description }: ExperimentChange,
): Promise<ExperimentRow> {
  const problems = [
    ...(name === null ? [] : nameProblems(name)),
    ...(description === null ? [] : descriptionProblems(description)),
  ];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { id } = experiment;
  const key = { project: experiment.project, name: name ?? experiment.name };
  if (name !== null) await requireFreeName(caller, key, id);
  try {
    return await changeExperiment(id, (locked) => {
      requireChangeableExperiment(locked);
      return {
        name: name ?? locked.name,
        description: description ?? locked.description,
      };
    });
  } catch (error) {
    throw isUniqueViolation(error) ? await takenName(caller, key, await findHolder(caller, key)) : error;
  }
}

import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { modelNameProblems } from '../domain/model-texts.ts';
import { descriptionProblems } from '../domain/texts.ts';
import type { RegisteredModelRow } from '../store/models.ts';
import { changeRegisteredModel, requireChangeableModel } from './change-registered-model.ts';
import { findHolder, requireFreeName, takenName } from './create-registered-model.ts';

export interface RegisteredModelChange {
  /** Null: as it is. */
  readonly name: string | null;
  readonly description: string | null;
}

/**
 * Renames a model, or describes it anew. Grants are on its id and stay: MLflow's, on names, had to be moved.
 *
 * @throws InvalidArgumentError with every fault, or `NameUnavailable`; AlreadyExistsError; FailedPreconditionError while
 * it is deleted.
 */
export async function updateRegisteredModel(
  caller: Caller,
  model: RegisteredModelRow,
  { name, description }: RegisteredModelChange,
): Promise<RegisteredModelRow> {
  const problems = [
    ...(name === null ? [] : modelNameProblems(name)),
    ...(description === null ? [] : descriptionProblems(description)),
  ];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { id } = model;
  const key = { project: model.project, name: name ?? model.name };
  if (name !== null) await requireFreeName(caller, key, id);
  try {
    return await changeRegisteredModel(id, (locked) => {
      requireChangeableModel(locked);
      return { name: name ?? locked.name, description: description ?? locked.description };
    });
  } catch (error) {
    throw isUniqueViolation(error) ? await takenName(caller, key, await findHolder(caller, key)) : error;
  }
}

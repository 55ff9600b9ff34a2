import { InvalidArgumentError } from '../../platform/errors.ts';
import { type Tags, tagProblems, tagsWith, tagsWithout } from '../domain/tags.ts';
import type { RegisteredModelRow } from '../store/models.ts';
import { changeRegisteredModel, requireChangeableModel } from './change-registered-model.ts';

/** Adds tags, or changes those that are there. @throws InvalidArgumentError, FailedPreconditionError while deleted. */
export async function setRegisteredModelTags(id: string, tags: Tags): Promise<RegisteredModelRow> {
  const problems = tagProblems(tags);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await changeRegisteredModel(id, (model) => {
    requireChangeableModel(model);
    return { tags: tagsWith(model.tags, tags) };
  });
}

/** Takes tags away; keys that are not there are no fault. @throws FailedPreconditionError while deleted. */
export async function deleteRegisteredModelTags(
  id: string,
  keys: readonly string[],
): Promise<RegisteredModelRow> {
  return await changeRegisteredModel(id, (model) => {
    requireChangeableModel(model);
    return { tags: tagsWithout(model.tags, keys) };
  });
}

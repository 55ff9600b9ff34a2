import { InvalidArgumentError } from '../../platform/errors.ts';
import { type Tags, tagProblems, tagsWith, tagsWithout } from '../domain/tags.ts';
import type { ExperimentRow } from '../store/experiments.ts';
import { changeExperiment, requireChangeableExperiment } from './change-experiment.ts';

/** Adds tags, or changes those that are there. @throws InvalidArgumentError, FailedPreconditionError while deleted. */
export async function setExperimentTags(id: string, tags: Tags): Promise<ExperimentRow> {
  const problems = tagProblems(tags);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await changeExperiment(id, (experiment) => {
    requireChangeableExperiment(experiment);
    return { tags: tagsWith(experiment.tags, tags) };
  });
}

/** Takes tags away; keys that are not there are no fault. @throws FailedPreconditionError while deleted. */
export async function deleteExperimentTags(id: string, keys: readonly string[]): Promise<ExperimentRow> {
  return await changeExperiment(id, (experiment) => {
    requireChangeableExperiment(experiment);
    return { tags: tagsWithout(experiment.tags, keys) };
  });
}

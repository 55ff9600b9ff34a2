import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, ResourceExhaustedError } from '../../platform/errors.ts';
import { aliasProblems } from '../domain/model-texts.ts';
import type { RegisteredModelRow } from '../store/models.ts';
import { pointAlias } from '../store/versions.ts';
import { registeredModels } from './registered-models.ts';

const MAX_ALIASES = 100;

/**
 * Lets an alias of a model point to one of its versions. An alias points to one version at a time.
 *
 * @throws InvalidArgumentError for the alias; NotFoundError for the version; ResourceExhaustedError if the model has
 * 100 aliases; FailedPreconditionError while the model is deleted. Source: MLflow's set registered model alias.
 */
export async function updateModelAlias(
  modelId: string,
  alias: string,
  version: number,
): Promise<RegisteredModelRow> {
  const problems = aliasProblems(alias);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await inTransaction(async (tx) => {
    const model = await registeredModels.lockChangeable(tx, modelId);
    const found = await tx.modelVersion.findUnique({ where: { modelId_version: { modelId, version } } });
    if (!found) throw new NotFoundError('model version', String(version), ['input', 'version']);
    const others = await tx.modelAlias.count({ where: { modelId, alias: { not: alias } } });
    if (others >= MAX_ALIASES)
      throw new ResourceExhaustedError(`a model can have at most ${MAX_ALIASES} aliases`);
    await pointAlias(tx, { modelId, alias, tenantId: model.tenantId, versionId: found.id });
    return model;
  });
}

/** Deletes an alias. @throws NotFoundError if it does not exist; FailedPreconditionError while the model is deleted. */
export async function deleteModelAlias(modelId: string, alias: string): Promise<RegisteredModelRow> {
  return await inTransaction(async (tx) => {
    const model = await registeredModels.lockChangeable(tx, modelId);
    const { count } = await tx.modelAlias.deleteMany({ where: { modelId, alias } });
    if (count === 0) throw new NotFoundError('alias', alias.slice(0, 100), ['input', 'alias']);
    return model;
  });
}

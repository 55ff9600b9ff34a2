import { getAllowed } from '../../authorization/get-allowed.ts';
import { blobIdOf, isBlobUri } from '../../blobs/domain/blob-uri.ts';
import { useBlobs } from '../../blobs/store/blobs.ts';
import { getReadableExecution } from '../../executions/commands/get-readable-execution.ts';
import type { ExecutionBy } from '../../executions/store/reads.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { requireActiveProject } from '../../projects/domain/project-checks.ts';
import { runTarget } from '../domain/experiment-targets.ts';
import { sourceProblems } from '../domain/model-texts.ts';
import { type Tags, tagProblems } from '../domain/tags.ts';
import { descriptionProblems } from '../domain/texts.ts';
import type { RegisteredModelRow } from '../store/models.ts';
import { type RunRow, readRuns } from '../store/runs.ts';
import type { ModelVersionRow } from '../store/versions.ts';
import { registeredModels } from './registered-models.ts';
import { unlessDeleted } from './unless-deleted.ts';

export interface NewModelVersion {
  readonly modelId: string;
  /** A blob of the model's project, or an address elsewhere. */
  readonly source: string;
  readonly description: string;
  readonly tags: Tags;
  /** The execution that created the model; null for none. */
  readonly execution: ExecutionBy | null;
  /** The run that the model comes from; null for none. */
  readonly runId: string | null;
}

/**
 * Adds a version to a model, with the next number: from 1, without gaps. The number of a deleted version is not used
 * again.
 *
 * @throws InvalidArgumentError with all problems, or `InactiveProject`; NotFoundError for a file that is not uploaded
 * or belongs to another project, and for an execution or run that does not exist, is hidden or belongs to another
 * tenant; FailedPreconditionError while the model is deleted. Source: MLflow's create model version.
 */
export async function createModelVersion(caller: Caller, given: NewModelVersion): Promise<ModelVersionRow> {
  const problems = [
    ...sourceProblems(given.source),
    ...descriptionProblems(given.description),
    ...tagProblems(given.tags),
  ];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const execution =
    given.execution && (await getReadableExecution(caller, given.execution, ['input', 'execution']));
  const run = given.runId === null ? null : await getReadableRun(caller, given.runId);
  const store = () =>
    inTransaction(async (tx) => {
      const model = await registeredModels.lockChangeable(tx, given.modelId);
      const { id: modelId, tenantId, projectId, publicAt } = model;
      requireActiveProject({ identifier: model.project, state: model.projectState }, ['input', 'model']);
      // The run of a public experiment can be read in every tenant.
      if (run && run.tenantId !== tenantId) throw new NotFoundError('run', run.id, ['input', 'run']);
      await requireFile(tx, model, given.source);
      const version = model.lastVersion + 1;
      await tx.registeredModel.update({ where: { id: modelId }, data: { lastVersion: version } });
      const made = await tx.modelVersion.create({
        data: {
          id: newId(),
          tenantId,
          modelId,
          version,
          source: given.source,
          description: given.description,
          tags: given.tags,
          executionId: execution?.id ?? null,
          runId: run?.id ?? null,
          createdById: caller.userId,
        },
      });
      return { ...made, projectId, publicAt };
    });
  return await unlessDeleted(execution, given.execution, store);
}

/**
 * One of our files must be stored and belong to the project. Otherwise, a caller could name a file of another project
 * and download it.
 */
async function requireFile(tx: Tx, project: RegisteredModelRow, source: string): Promise<void> {
  if (!isBlobUri(source)) return;
  const id = blobIdOf(source);
  const { tenantId, projectId } = project;
  const [size = null] = id === null ? [] : await useBlobs([{ tenantId, projectId, id }], tx);
  if (size === null) throw new NotFoundError('file', source, ['input', 'source']);
}

async function getReadableRun(caller: Caller, id: string): Promise<RunRow> {
  return await getAllowed(caller, 'run:read', {
    kind: 'run',
    key: id,
    path: ['input', 'run'],
    find: async () => (await readRuns(caller.tenantId, [id]))[0] ?? null,
    targetOf: runTarget,
  });
}

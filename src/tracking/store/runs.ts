import { type Reader, readableSql } from '../../authorization/store/readable.ts';
import type { ExperimentRun, LifecycleStage } from '../../generated/prisma/client.ts';
import { eachOf } from '../../platform/by-id.ts';
import { countOfEach, newestFirst, type Page, pageOfEach } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import { experimentResources, isPublicExperiment } from './experiments.ts';

/** A run, with the columns that decide about its experiment. */
export interface RunRow extends ExperimentRun {
  readonly projectId: string;
  readonly publicAt: Date | null;
}

const columns = `
  run.id, run.tenant_id as "tenantId", run.experiment_id as "experimentId", run.execution_id as "executionId",
  run.name, run.tags, run.stage::text as stage, run.created_by_id as "createdById", run.created_at as "createdAt",
  run.updated_at as "updatedAt", experiment.project_id as "projectId", experiment.public_at as "publicAt"`;

const source = 'experiment_runs as run join experiments as experiment on experiment.id = run.experiment_id';

const byIds = statement<RunRow>(
  `select ${columns} from ${source} where run.id = any($2::uuid[]) and (experiment.tenant_id = $1::uuid or ${isPublicExperiment})`,
);

/**
 * One row or null for each id, in the order of the ids. Of other tenants, only runs of public experiments are found.
 */
export async function readRuns(tenantId: string, ids: readonly string[]): Promise<(RunRow | null)[]> {
  return eachOf(ids, await run(byIds, [tenantId, ids.filter(isId)]));
}

const lockStatement = statement<RunRow>(
  `select ${columns} from ${source} where run.id = $1::uuid for no key update of run`,
);

/** Locks a run until the transaction ends. Its experiment must be locked first. */
export async function lockRun(tx: Tx, id: string): Promise<RunRow | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

/** Which runs of each experiment a page shows. */
export interface RunPage extends Page {
  /** Null means all stages. */
  readonly stage: LifecycleStage | null;
}

const ofStage = (stage: LifecycleStage | null) =>
  stage ? sql`and run.stage = ${stage}::text::lifecycle_stage` : nothing;

export const runOrder = newestFirst('run');
const runsOfExperiments = { columns, source, parent: 'run.experiment_id', order: runOrder };

/** The newest runs of each experiment: one page, and one more row if there is one. */
export const readRunsOfExperiments = (experimentIds: readonly string[], page: RunPage) =>
  query<RunRow>(pageOfEach(runsOfExperiments, experimentIds, page, ofStage(page.stage)));

export const countRunsOfExperiments = (experimentIds: readonly string[], stage: LifecycleStage | null) =>
  query<ChildCount>(countOfEach(runsOfExperiments, experimentIds, ofStage(stage)));

export interface RunFilter {
  readonly experimentIds: readonly string[];
  readonly stage: LifecycleStage | null;
}

/** The rows that a reader may see. */
function shownTo(reader: Reader, { experimentIds, stage }: RunFilter): Rows {
  const readable = readableSql(reader, experimentResources, isPublicExperiment);
  const from = sql`${raw(source)} ${readable.joins}
    where run.experiment_id = any(${experimentIds.filter(isId)}::uuid[])
      and (experiment.tenant_id = ${reader.tenantId}::uuid or ${raw(isPublicExperiment)})
      and ${readable.condition} ${ofStage(stage)}`;
  return { with: readable.with, from };
}

/** The runs of these experiments that the caller may read, newest first: one page, and one more row if there is one. */
export const listRuns = (reader: Reader, filter: RunFilter, page: Page) =>
  list<RunRow>(shownTo(reader, filter), raw(columns), runOrder, page);

/** The number of these runs. It is read only if a query asks for it. */
export const countRuns = (reader: Reader, filter: RunFilter) => count(shownTo(reader, filter));

import { type Reader, readableSql } from '../../authorization/store/readable.ts';
import type { ExperimentRun, LifecycleStage } from '../../generated/prisma/client.ts';
import { eachOf } from '../../platform/by-id.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import { experimentResources, isPublicExperiment } from './experiments.ts';

/** A run, with what decides about its experiment. */
export interface RunRow extends ExperimentRun {
  readonly projectId: string;
  readonly publicAt: Date | null;
}

const columns = `
  run.id, run.tenant_id as "tenantId", run.experiment_id as "experimentId", run.execution_id as "executionId",
  run.name, run.tags, run.stage::text as stage, run.created_by_id as "createdById", run.created_at as "createdAt",
  run.updated_at as "updatedAt", experiment.project_id as "projectId", experiment.public_at as "publicAt"`;

const source = 'experiment_runs as run join experiments as experiment on experiment.id = run.experiment_id';
const reachable = '(experiment.tenant_id = $1::uuid or experiment.public_at is not null)';

const byIds = statement<RunRow>(
  `select ${columns} from ${source} where run.id = any($2::uuid[]) and ${reachable}`,
);

/** One row or null for each id, in their order; of other tenants, those of public experiments. */
export async function readRuns(tenantId: string, ids: readonly string[]): Promise<(RunRow | null)[]> {
  return eachOf(ids, await run(byIds, [tenantId, ids.filter(isId)]));
}

const lockStatement = statement<RunRow>(
  `select ${columns} from ${source} where run.id = $1::uuid for no key update of run`,
);

/** Holds a run until commit. Its experiment is locked first. */
export async function lockRun(tx: Tx, id: string): Promise<RunRow | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

/** A page of each experiment's runs. */
export interface RunPage {
  readonly limit: number;
  readonly backward: boolean;
  /** createdAt and id of the row to go on from. */
  readonly from: readonly string[] | null;
  /** Null: all. */
  readonly stage: LifecycleStage | null;
}

/** The newest runs of each experiment; up to one more than the page, so that it shows whether there are more. */
export async function readRunsOfExperiments(
  experimentIds: readonly string[],
  page: RunPage,
): Promise<RunRow[]> {
  const [beyond, direction] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const from = page.from ? `and (run.created_at, run.id) ${beyond} ($4::timestamptz, $5::uuid)` : '';
  const children = statement<RunRow>(
    `select child.* from unnest($1::uuid[]) with ordinality as parent(id, position)
      cross join lateral (
        select ${columns} from ${source}
         where run.experiment_id = parent.id and ($3::text is null or run.stage = $3::text::lifecycle_stage) ${from}
         order by run.created_at ${direction}, run.id ${direction} limit $2) as child`,
  );
  return await run(children, [experimentIds, page.limit + 1, page.stage, ...(page.from ?? [])]);
}

export interface RunFilter {
  readonly experimentIds: readonly string[];
  readonly stage: LifecycleStage | null;
}

function shown(reader: Reader, filter: RunFilter) {
  const readable = readableSql(reader, experimentResources, isPublicExperiment);
  const values: Value[] = [...readable.values, filter.experimentIds.filter(isId), filter.stage];
  const where = `run.experiment_id = any($7::uuid[]) and ${reachable} and ${readable.condition}
    and ($8::text is null or run.stage = $8::text::lifecycle_stage)`;
  return { ...readable, where, values };
}

/** Runs of those of the experiments that the caller may read, newest first; up to one more than the page. */
export async function listRuns(
  reader: Reader,
  filter: RunFilter,
  page: Omit<RunPage, 'stage'>,
): Promise<RunRow[]> {
  const list = shown(reader, filter);
  const [beyond, direction] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const from = page.from ? `and (run.created_at, run.id) ${beyond} ($10::timestamptz, $11::uuid)` : '';
  const select = statement<RunRow>(
    `${list.with}
     select ${columns} from ${source} ${list.joins} where ${list.where} ${from}
      order by run.created_at ${direction}, run.id ${direction} limit $9`,
  );
  return await run(select, [...list.values, page.limit + 1, ...(page.from ?? [])]);
}

/** How many there are in all; read only where it is asked for. */
export async function countRuns(reader: Reader, filter: RunFilter): Promise<number> {
  const list = shown(reader, filter);
  const count = statement<{ count: bigint }>(
    `${list.with} select count(*) as count from ${source} ${list.joins} where ${list.where}`,
  );
  const [row] = await run(count, list.values);
  return Number(row?.count ?? 0n);
}

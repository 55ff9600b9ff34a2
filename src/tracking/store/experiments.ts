import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { Experiment, LifecycleStage, ProjectState } from '../../generated/prisma/client.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';

export interface ExperimentRow extends Experiment {
  /** The project's identifier. */
  readonly project: string;
  readonly projectState: ProjectState;
}

export interface ExperimentKey {
  readonly project: string;
  readonly name: string;
}
export type ExperimentBy = { readonly id: string } | { readonly key: ExperimentKey };

const columns = `
  experiment.id, experiment.tenant_id as "tenantId", experiment.project_id as "projectId",
  project.identifier as project, project.state::text as "projectState", experiment.name, experiment.description,
  experiment.tags, experiment.stage::text as stage, experiment.public_at as "publicAt",
  experiment.created_by_id as "createdById", experiment.created_at as "createdAt",
  experiment.updated_at as "updatedAt"`;

const source = 'experiments as experiment join projects as project on project.id = experiment.project_id';

const byIds = statement<ExperimentRow>(
  `select ${columns} from ${source}
    where experiment.id = any($2::uuid[]) and (experiment.tenant_id = $1::uuid or experiment.public_at is not null)`,
);

const byKeys = statement<ExperimentRow>(
  `select ${columns} from unnest($2::text[], $3::text[]) as asked(project, name)
     join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
     join experiments as experiment on experiment.tenant_id = $1::uuid and experiment.project_id = project.id
      and experiment.name = asked.name`,
);

/**
 * One row or null for each address, in their order: a statement for ids, one for keys. Other tenants' experiments are
 * found by id while they are public.
 */
export async function readExperiments(
  tenantId: string,
  addresses: readonly ExperimentBy[],
): Promise<(ExperimentRow | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const keys = addresses.flatMap((by) => ('key' in by ? [by.key] : []));
  const [foundById, foundByKey] = await Promise.all([
    ids.length > 0 ? run(byIds, [tenantId, ids]) : [],
    keys.length > 0
      ? run(byKeys, [tenantId, keys.map(({ project }) => project), keys.map(({ name }) => name)])
      : [],
  ]);
  const byId = new Map(foundById.map((row) => [row.id, row]));
  const byKey = new Map(foundByKey.map((row) => [keyText(row), row]));
  return addresses.map((by) => ('id' in by ? byId.get(by.id) : byKey.get(keyText(by.key))) ?? null);
}

const keyText = ({ project, name }: ExperimentKey) => JSON.stringify([project, name]);

const lockStatements = {
  change: statement<ExperimentRow>(
    `select ${columns} from ${source} where experiment.id = $1::uuid for no key update of experiment`,
  ),
  use: statement<ExperimentRow>(
    `select ${columns} from ${source} where experiment.id = $1::uuid for share of experiment`,
  ),
};

/** Holds an experiment until commit: to change it, or to change its runs, which others may do at the same time. */
export async function lockExperiment(
  tx: Tx,
  id: string,
  purpose: keyof typeof lockStatements,
): Promise<ExperimentRow | null> {
  const [row] = await run(lockStatements[purpose], [id], tx);
  return row ?? null;
}

export interface ExperimentFilter {
  readonly projectId: string | null;
  /** What names begin with. */
  readonly name: string | null;
  /** Null: all. */
  readonly stage: LifecycleStage | null;
  /** True: public ones of every tenant; false: those of the tenant that are not; null: all of the tenant. */
  readonly isPublic: boolean | null;
}

interface ListPage {
  readonly limit: number;
  readonly backward: boolean;
  /** createdAt and id of the row to go on from. */
  readonly from: readonly string[] | null;
}

/** Where experiments have what decides about them. */
export const experimentResources: readonly ResourceColumn[] = [
  { type: 'EXPERIMENT', column: 'experiment.id' },
  { type: 'PROJECT', column: 'experiment.project_id' },
];
export const isPublicExperiment = 'experiment.public_at is not null';

function shown(reader: Reader, filter: ExperimentFilter) {
  const readable = readableSql(reader, experimentResources, isPublicExperiment);
  const values: Value[] = [...readable.values];
  const parts = [
    readable.condition,
    filter.isPublic ? isPublicExperiment : 'experiment.tenant_id = $1::uuid',
  ];
  const where = (part: (parameter: string) => string, value: Value) => {
    values.push(value);
    parts.push(part(`$${values.length}`));
  };
  if (filter.isPublic === false) parts.push('experiment.public_at is null');
  if (filter.projectId) where((at) => `experiment.project_id = ${at}::uuid`, filter.projectId);
  if (filter.name) where((at) => `starts_with(experiment.name, ${at})`, filter.name);
  if (filter.stage) where((at) => `experiment.stage = ${at}::text::lifecycle_stage`, filter.stage);
  return { ...readable, where: parts.join(' and '), values };
}

/** Experiments that the caller may read, newest first; up to one more than the page. */
export async function listExperiments(
  reader: Reader,
  filter: ExperimentFilter,
  page: ListPage,
): Promise<ExperimentRow[]> {
  const list = shown(reader, filter);
  const at = list.values.length + 1;
  const [beyond, direction] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const from = page.from
    ? `and (experiment.created_at, experiment.id) ${beyond} ($${at + 1}::timestamptz, $${at + 2}::uuid)`
    : '';
  const select = statement<ExperimentRow>(
    `${list.with}
     select ${columns} from ${source} ${list.joins} where ${list.where} ${from}
      order by experiment.created_at ${direction}, experiment.id ${direction} limit $${at}`,
  );
  return await run(select, [...list.values, page.limit + 1, ...(page.from ?? [])]);
}

/** How many there are in all; read only where it is asked for. */
export async function countExperiments(reader: Reader, filter: ExperimentFilter): Promise<number> {
  const list = shown(reader, filter);
  const count = statement<{ count: bigint }>(
    `${list.with} select count(*) as count from experiments as experiment ${list.joins} where ${list.where}`,
  );
  const [row] = await run(count, list.values);
  return Number(row?.count ?? 0n);
}

/** Whether the caller may read some experiment of a project: then it may list them. */
export async function hasReadableExperiment(reader: Reader, projectId: string | null): Promise<boolean> {
  const readable = readableSql(reader, experimentResources, isPublicExperiment);
  const some = statement<{ some: boolean }>(
    `${readable.with}
     select exists (
       select from experiments as experiment ${readable.joins}
        where experiment.tenant_id = $1::uuid and experiment.project_id = $7::uuid and ${readable.condition}
     ) as some`,
  );
  const [row] = await run(some, [...readable.values, projectId]);
  return row?.some ?? false;
}

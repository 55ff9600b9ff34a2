import {
  hasReadable,
  type Reader,
  type ResourceColumn,
  readableSql,
} from '../../authorization/store/readable.ts';
import type { Experiment, LifecycleStage, ProjectState } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { newestFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

export interface ExperimentRow extends Experiment {
  /** The identifier of the project. */
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
 * One row or null for each address, in the order of the addresses. Public experiments of other tenants are found by id.
 */
export function readExperiments(
  tenantId: string,
  addresses: readonly ExperimentBy[],
): Promise<(ExperimentRow | null)[]> {
  return readAddressed(
    addresses,
    ['project', 'name'],
    (ids) => run(byIds, [tenantId, ids]),
    (...columns) => run(byKeys, [tenantId, ...columns]),
  );
}

const lockStatements = {
  change: statement<ExperimentRow>(
    `select ${columns} from ${source} where experiment.id = $1::uuid for no key update of experiment`,
  ),
  use: statement<ExperimentRow>(
    `select ${columns} from ${source} where experiment.id = $1::uuid for share of experiment`,
  ),
};

/**
 * Locks an experiment until the transaction ends: to change it, or to change some of its runs. Several transactions may
 * change its runs at the same time.
 */
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
  /** The beginning of the name. */
  readonly name: string | null;
  /** Null means all stages. */
  readonly stage: LifecycleStage | null;
  /** True: public ones of every tenant. False: private ones of the tenant. Null: all of the tenant. */
  readonly isPublic: boolean | null;
}

/** The columns with the resources that decide about an experiment. */
export const experimentResources: readonly ResourceColumn[] = [
  { type: 'EXPERIMENT', column: 'experiment.id' },
  { type: 'PROJECT', column: 'experiment.project_id' },
];
export const isPublicExperiment = 'experiment.public_at is not null';

/** The rows that a reader may see. */
function shownTo(reader: Reader, { projectId, name, stage, isPublic }: ExperimentFilter): Rows {
  const readable = readableSql(reader, experimentResources, isPublicExperiment);
  const ofTenant = sql`experiment.tenant_id = ${reader.tenantId}::uuid`;
  const from = sql`${raw(source)} ${readable.joins}
    where ${readable.condition} and ${isPublic ? raw(isPublicExperiment) : ofTenant}
      ${isPublic === false ? sql`and experiment.public_at is null` : nothing}
      ${projectId ? sql`and experiment.project_id = ${projectId}::uuid` : nothing}
      ${name ? sql`and starts_with(experiment.name, ${name})` : nothing}
      ${stage ? sql`and experiment.stage = ${stage}::text::lifecycle_stage` : nothing}`;
  return { with: readable.with, from };
}

export const experimentOrder = newestFirst('experiment');

/** The experiments that the caller may read, newest first: one page, and one more row if there is one. */
export const listExperiments = (reader: Reader, filter: ExperimentFilter, page: Page) =>
  list<ExperimentRow>(shownTo(reader, filter), raw(columns), experimentOrder, page);

/** The number of these experiments. It is read only if a query asks for it. */
export const countExperiments = (reader: Reader, filter: ExperimentFilter) => count(shownTo(reader, filter));

/** Whether the caller may read at least one experiment of a project. Then the caller may list them. */
export const hasReadableExperiment = (reader: Reader, projectId: string | null) =>
  hasReadable(
    reader,
    {
      table: 'experiments',
      alias: 'experiment',
      resources: experimentResources,
      publicColumn: isPublicExperiment,
    },
    projectId,
  );

import { eachOf } from '../../platform/by-id.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { LiteralMap } from '../../values/literals.ts';
import type { ExecutionSettings, ExecutionSpec, ResolvedSettings } from '../domain/execution-spec.ts';

export interface SpecRow extends ResolvedSettings {
  readonly id: string;
  readonly projectLabels: Readonly<Record<string, string>>;
  readonly userInputs: LiteralMap;
  /** The name that all versions of its workflow share. */
  readonly workflowName: string;
}

const specs = statement<SpecRow>(
  `select execution.id, execution.spec, execution.interruptible, execution.overwrite_cache as "overwriteCache",
          execution.max_parallelism as "maxParallelism", execution.user_inputs as "userInputs",
          project.labels as "projectLabels", workflow.name as "workflowName"
     from executions as execution join projects as project on project.id = execution.project_id
     join named_entities as workflow on workflow.id = execution.workflow_entity_id
    where execution.id = any($1::uuid[])`,
);

/** What executions were asked to do. This is read only for the executions that need it. */
export const readSpecs = async (ids: readonly string[], tx?: Tx): Promise<(SpecRow | null)[]> =>
  eachOf(ids, await run(specs, [ids], tx));

/** @throws Error if the execution does not exist. */
export async function getSpec(id: string, tx?: Tx): Promise<SpecRow> {
  const [row] = await readSpecs([id], tx);
  if (!row) throw new Error(`the execution ${id} does not exist`);
  return row;
}

const shownSpecs = statement<{ id: string; spec: ExecutionSpec }>(
  'select id, spec from executions where id = any($1::uuid[])',
);

/** The settings that lists leave out. They are read only if a query asks for them. */
export const readShownSpecs = async (ids: readonly string[]) => eachOf(ids, await run(shownSpecs, [ids]));

/** The settings of an execution, in the form in which a request gives them. */
export function settingsOf({
  spec,
  interruptible,
  overwriteCache,
  maxParallelism,
}: ResolvedSettings): ExecutionSettings {
  const { queueingBudgetMilliseconds: _budget, ...settings } = spec;
  return { ...settings, overwriteCache, maxParallelism, ...(interruptible !== null && { interruptible }) };
}

import {
  type Grantee,
  type GrantLevelsRow,
  granteeValues,
  levelsBeside,
} from '../../authorization/store/grant-levels.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { executionColumns } from './columns.ts';
import type { ExecutionBy, ExecutionRow } from './reads.ts';

/** An execution, and the caller's grants that decide about it, in one statement. */
export interface ExecutionWithGrants {
  /** Null if the execution does not exist. */
  readonly execution: ExecutionRow | null;
  readonly grants: readonly GrantLevelsRow[];
}

/** Without an execution, the row still has the grants on types and on the tenant. */
const statementFor = (condition: string) =>
  statement<ExecutionRow & { readonly grants: readonly GrantLevelsRow[] }>(
    `select ${executionColumns.all},
            ${levelsBeside('array[execution.workflow_entity_id, execution.project_id]')} as grants
       from (select) as always
       left join (executions as execution join projects as project on project.id = execution.project_id)
         on execution.tenant_id = $2::uuid and ${condition}`,
  );

const byId = statementFor('execution.id = $4::uuid');
const byKey = statementFor(
  `project.tenant_id = $2::uuid
     and (project.identifier, execution.domain, execution.name) = ($4, $5, $6)`,
);

/** @param by  its id must have the form of an id. */
export async function readExecutionWithGrants(
  grantee: Grantee,
  by: ExecutionBy,
): Promise<ExecutionWithGrants> {
  const grantedTo = granteeValues(grantee);
  const [row] =
    'id' in by
      ? await run(byId, [...grantedTo, by.id])
      : await run(byKey, [...grantedTo, by.key.project, by.key.domain, by.key.name]);
  if (!row) throw new Error('a left join has no row');
  const { grants, ...execution } = row;
  return { execution: execution.id === null ? null : execution, grants };
}

import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { announce, type Claims, claimsOf } from './common.ts';
import { typeDefs } from './schema.ts';
import {
  grantsSql,
  type ReportInput,
  reportSql,
  reportValues,
  run,
  type UserRow,
  viewerSql,
  viewerValues,
} from './statements.ts';

/**
 * Mercurius as its documentation makes it fast: documents compiled by graphql-jit, lists of each parent by loaders in
 * one prepared statement a level, and plain fields. It checks the token and the tenant.
 */

interface Context {
  readonly claims: Claims;
}

interface Queries<Parent, Parameters>
  extends ReadonlyArray<{ readonly obj: Parent; readonly params: Parameters }> {}

interface Parent {
  readonly id: string;
}

interface First {
  readonly first: number;
}

const columns = (alias: string, ...names: readonly [column: string, field: string][]) =>
  names.map(([column, field]) => `${alias}.${column} as "${field}"`).join();

const times: readonly [string, string][] = [
  ['started_at', 'startedAt'],
  ['ended_at', 'endedAt'],
];
const executionColumns = `execution.id, execution.name, execution.domain, execution.phase::text as phase,
  ${columns('execution', ['created_at', 'createdAt'], ...times)}`;

const executionSql = `select ${executionColumns} from executions as execution
  where execution.id = $1::uuid and execution.tenant_id = $2::uuid`;

const executionsSql = `select ${executionColumns}
    from executions as execution join projects as project on project.id = execution.project_id
   where project.identifier = $1 and project.tenant_id = $2::uuid and execution.tenant_id = $2::uuid
     and execution.domain = $3 and execution.phase = any($4::text[]::execution_phase[]) and execution.state = 'ACTIVE'
   order by execution.created_at desc, execution.id desc limit $5`;

const nodesSql = `select node.* from unnest($1::uuid[]) as parent(id) cross join lateral (
    select node.id, node.execution_id as "parentId", node.node_id as "nodeId", node.phase::text as phase,
           ${columns('node', ...times)}
      from node_executions as node
     where node.execution_id = parent.id and node.parent_id is null and node.parent_task_id is null
     order by node.id desc limit $2
  ) as node`;

const tasksSql = `select task.* from unnest($1::uuid[]) as parent(id) cross join lateral (
    select task.id, task.node_execution_id as "parentId", task.retry_attempt as "retryAttempt",
           task.phase::text as phase, ${columns('task', ...times)}
      from task_executions as task
     where task.node_execution_id = parent.id order by task.retry_attempt desc, task.id desc limit $2
  ) as task`;

const projectsSql = `select id, identifier, name from projects
  where tenant_id = $1::uuid and state = 'ACTIVE' order by identifier collate "C" limit $2`;

const countsSql = `select project_id as "parentId", phase::text as phase, count(*)::int as count from executions
   where tenant_id = $2::uuid and state = 'ACTIVE' and project_id = any($1::uuid[])
   group by project_id, phase order by executions.phase`;

interface ChildRow {
  readonly parentId: string;
}

/** The rows of each parent, in the order of the parents. */
function ofEach(queries: Queries<Parent, unknown>, rows: readonly ChildRow[]): ChildRow[][] {
  const byParent = new Map<string, ChildRow[]>(queries.map(({ obj }) => [obj.id, []]));
  for (const row of rows) byParent.get(row.parentId)?.push(row);
  return queries.map(({ obj }) => byParent.get(obj.id) ?? []);
}

const idsOf = (queries: Queries<Parent, unknown>) => queries.map(({ obj }) => obj.id);

const listOfEach = (sql: string) => async (queries: Queries<Parent, First>) => {
  const rows = await run<ChildRow>(sql, [idsOf(queries), queries[0]?.params.first ?? 25]);
  return ofEach(queries, rows).map((nodes) => ({ nodes }));
};

const resolvers = {
  Query: {
    viewer: async (_: unknown, __: unknown, { claims }: Context) =>
      (await run<UserRow>(viewerSql, viewerValues(claims)))[0] ?? null,
    execution: async (_: unknown, { by }: { by: { id: string } }, { claims }: Context) =>
      (await run(executionSql, [by.id, claims.tenantId]))[0] ?? null,
    executions: async (
      _: unknown,
      { filter, first }: First & { filter: { project: string; domain: string; phases: readonly string[] } },
      { claims }: Context,
    ) => ({
      nodes: await run(executionsSql, [filter.project, claims.tenantId, filter.domain, filter.phases, first]),
    }),
    projects: async (_: unknown, { first }: First, { claims }: Context) => ({
      nodes: await run(projectsSql, [claims.tenantId, first]),
    }),
    myPermissions: async (_: unknown, { first }: First, { claims }: Context) => {
      const rows = await run<Record<'id' | 'level' | 'type' | 'resourceId' | 'name', string>>(grantsSql, [
        ...[claims.userId, claims.tenantId, first],
      ]);
      const nodes = rows.map(({ id, level, type, resourceId, name }) => ({
        grant: { id, level, resource: { type, id: resourceId, name } },
      }));
      return { nodes };
    },
  },
  Mutation: {
    async createTaskEvent(_: unknown, { input }: { input: ReportInput }, { claims }: Context) {
      const [taskExecution] = await run(reportSql, reportValues(claims, input));
      if (taskExecution) return { __typename: 'CreateTaskEventPayload', taskExecution };
      return { __typename: 'FailedPreconditionError', message: 'this attempt cannot go to this phase' };
    },
  },
};

const loaders = {
  Execution: { nodeExecutions: { loader: listOfEach(nodesSql), opts: { cache: false } } },
  NodeExecution: { taskExecutions: { loader: listOfEach(tasksSql), opts: { cache: false } } },
  Project: {
    executionCounts: {
      loader: async (queries: Queries<Parent, unknown>, { claims }: Context) =>
        ofEach(queries, await run<ChildRow>(countsSql, [idsOf(queries), claims.tenantId])),
      opts: { cache: false },
    },
  },
};

const app = Fastify();
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: resolvers as never,
  loaders: loaders as never,
  jit: 1,
  context: (request) => {
    const claims = claimsOf(request.headers.authorization);
    if (claims === null) throw new mercurius.ErrorWithProps('the token is not valid');
    return { claims };
  },
});
await app.listen({ host: '127.0.0.1', port: 0 });
announce(app.server.address() as AddressInfo);

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postgraphile } from 'postgraphile';
import {
  loadManyWithPgClient,
  type PgExecutor,
  type PgSelectSingleStep,
  type PgSelectStep,
  sideEffectWithPgClient,
  TYPES,
} from 'postgraphile/@dataplan/pg';
import { makePgService } from 'postgraphile/adaptors/pg';
import { connection, context, get, object, type Step } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema, gql } from 'postgraphile/utils';
import { documents } from '../run/workloads.ts';
import { announce, type Claims, claimsOf } from './common.ts';
import { postgraphileDocuments } from './postgraphile-documents.ts';
import { pool as ownPool, type ReportInput, reportSql, reportValues } from './statements.ts';

declare global {
  namespace Grafast {
    interface Context extends Claims {}
  }
}

/**
 * PostGraphile with its own names for the tables, and with the root fields of the bench as plans beside them, which check
 * the tenant. It makes one statement of a field and the lists inside it.
 */

const countsSql = `select project_id as "parentId", phase::text as phase, count(*)::int as count from executions
   where tenant_id = $2::uuid and state = 'ACTIVE' and project_id = any($1::uuid[])
   group by project_id, phase order by executions.phase`;

/** The part of PostGraphile's tables that the plans use. */
interface Table {
  readonly executor: PgExecutor;
  find(columns?: Readonly<Record<string, Step>>): PgSelectStep;
  get(columns: Readonly<Record<string, Step>>): PgSelectSingleStep;
}
type Tables = Readonly<Record<'users' | 'executions' | 'projects' | 'grants', Table>>;

interface Client {
  query(statement: object): Promise<{ readonly rows: readonly (object & { readonly parentId: string })[] }>;
}

const bench = extendSchema((build) => {
  const { users, executions, projects, grants } = build.pgResources as unknown as Tables;
  const { sql } = build;
  const executor = users.executor;
  const tenant = () => context().get('tenantId');
  const userId = () => context().get('userId');
  const ofTenant = ($rows: PgSelectStep) => {
    $rows.where(sql`${$rows.alias}.tenant_id = ${$rows.placeholder(tenant(), TYPES.uuid)}`);
    return $rows;
  };
  const order = ($rows: PgSelectStep, attribute: string, direction: 'ASC' | 'DESC') =>
    $rows.orderBy({ attribute, direction } as never);
  const columnOf = ($row: PgSelectSingleStep, column: string): Step => $row.get(column as never);
  return {
    typeDefs: gql`
      type ExecutionPhaseCount { phase: ExecutionPhase! count: Int! }
      extend type Project { executionCounts: [ExecutionPhaseCount!]! }
      type GrantConnectionOfViewer { nodes: [GrantOfViewer!]! }
      type GrantOfViewer { grant: Grant! }
      extend type Grant { resource: Grant! resourceName: String }
      input ReportExecution { id: UUID! }
      input ReportTask { project: String! domain: String! name: String! version: String! }
      input ReportInput {
        execution: ReportExecution!
        nodeId: String!
        task: ReportTask!
        phase: TaskExecutionPhase!
        occurredAt: String!
      }
      type ReportedTask { id: UUID! phase: TaskExecutionPhase! }
      type CreateTaskEventPayload { taskExecution: ReportedTask }
      extend type Query {
        viewer: User
        executionOfTenant(id: UUID!): Execution
        executionsOfProject(project: String!, domain: String!, phase: ExecutionPhase!): ExecutionConnection
        projectsOfTenant: ProjectConnection
        grantsOfViewer(first: Int!): GrantConnectionOfViewer
      }
      extend type Mutation { createTaskEvent(input: ReportInput!): CreateTaskEventPayload }
    `,
    objects: {
      Query: {
        plans: {
          viewer() {
            const $users = ofTenant(users.find({ id: userId() }));
            $users.where(
              sql`${$users.alias}.version = ${$users.placeholder(context().get('version'), TYPES.int)}`,
            );
            $users.where(sql`${$users.alias}.disabled_at is null`);
            return $users.single();
          },
          executionOfTenant: (_: Step, { $id }: { $id: Step }) =>
            ofTenant(executions.find({ id: $id })).single(),
          executionsOfProject(
            _: Step,
            { $project, $domain, $phase }: Readonly<Record<'$project' | '$domain' | '$phase', Step>>,
          ) {
            const $rows = ofTenant(executions.find({ domain: $domain, phase: $phase }));
            $rows.where(sql`${$rows.alias}.state = 'ACTIVE'`);
            $rows.where(sql`${$rows.alias}.project_id = (select id from projects
              where identifier = ${$rows.placeholder($project, TYPES.text)}
                and tenant_id = ${$rows.placeholder(tenant(), TYPES.uuid)})`);
            order($rows, 'created_at', 'DESC');
            order($rows, 'id', 'DESC');
            return connection($rows as never);
          },
          projectsOfTenant() {
            const $rows = ofTenant(projects.find());
            $rows.where(sql`${$rows.alias}.state = 'ACTIVE'`);
            $rows.orderBy({
              fragment: sql`${$rows.alias}.identifier collate "C"`,
              codec: TYPES.text,
              direction: 'ASC',
            } as never);
            return connection($rows as never);
          },
          grantsOfViewer(_: Step, { $first }: { $first: Step<number> }) {
            const $rows = ofTenant(grants.find());
            const $me = $rows.placeholder(userId(), TYPES.uuid);
            $rows.where(sql`(${$rows.alias}.user_id = ${$me}
              or ${$rows.alias}.group_id = any(array(select group_id from group_members where user_id = ${$me})))`);
            order($rows, 'id', 'DESC');
            $rows.setFirst($first);
            return object({ nodes: $rows });
          },
        },
      },
      GrantOfViewer: { plans: { grant: ($grant: Step) => $grant } },
      Grant: {
        plans: {
          resource: ($grant: Step) => $grant,
          resourceName: ($grant: PgSelectSingleStep) =>
            projects.get({ id: columnOf($grant, 'resource_id') }).get('identifier' as never),
        },
      },
      Project: {
        plans: {
          executionCounts: ($project: PgSelectSingleStep) =>
            loadManyWithPgClient(executor, columnOf($project, 'id'), {
              shared: () => ({ tenantId: tenant() }),
              async load(
                client: Client,
                ids: readonly string[],
                { shared }: { shared: { tenantId: string } },
              ) {
                const { rows } = await client.query({
                  name: 'counts',
                  text: countsSql,
                  values: [ids, shared.tenantId],
                });
                const byProject = new Map<string, object[]>(ids.map((id) => [id, []]));
                for (const row of rows) byProject.get(row.parentId)?.push(row);
                return ids.map((id) => byProject.get(id) ?? []);
              },
            } as never),
        },
      },
      ExecutionPhaseCount: {
        plans: {
          phase: ($count: Step) => get($count as never, 'phase' as never),
          count: ($count: Step) => get($count as never, 'count' as never),
        },
      },
      Mutation: {
        plans: {
          createTaskEvent(_: Step, { $input }: { $input: Step }) {
            const $spec = object({ input: $input, tenantId: tenant() });
            const $moved = sideEffectWithPgClient(executor, $spec, (async (
              client: Client,
              { input, tenantId }: { readonly input: ReportInput; readonly tenantId: string },
            ) => {
              const values = reportValues({ tenantId } as Claims, input);
              const { rows } = await client.query({ name: 'report', text: reportSql, values });
              if (rows.length === 0) throw new Error('this attempt cannot go to this phase');
              return rows[0];
            }) as never);
            return object({ taskExecution: $moved });
          },
        },
      },
      CreateTaskEventPayload: {
        plans: { taskExecution: ($it: Step) => get($it as never, 'taskExecution' as never) },
      },
      ReportedTask: {
        plans: {
          id: ($it: Step) => get($it as never, 'id' as never),
          phase: ($it: Step) => get($it as never, 'phase' as never),
        },
      },
    } as never,
  };
});

const preset: GraphileConfig.Preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [bench],
  pgServices: [makePgService({ pool: ownPool, schemas: ['public'] })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: {
    context: ({ node }) => {
      const claims = claimsOf(node?.req.headers.authorization);
      if (claims === null) throw new Error('the token is not valid');
      return { ...claims };
    },
  },
};

const instance = postgraphile(preset);
const server = createServer();
await instance.createServ(grafserv).addTo(server);
await instance.getSchema();
const translations = Object.entries(documents).map(
  ([name, text]) => [text, postgraphileDocuments[name as keyof typeof documents]] as const,
);
server.listen(0, '127.0.0.1', () =>
  announce({ ...(server.address() as AddressInfo), documents: translations }),
);

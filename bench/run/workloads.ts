import type pg from 'pg';

/** A GraphQL request, as it is sent. */
export interface Request {
  readonly token: string;
  readonly query: string;
  readonly variables: object;
}

export interface Person {
  readonly id: string;
  readonly token: string;
}

/** What the requests of a workload are made of. */
export interface World {
  readonly client: pg.Client;
  readonly people: readonly Person[];
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** The requests, in an order that repeats only after all of them. */
  requests(world: World): Promise<readonly Request[]>;
  /** Takes back what the requests have changed. Absent where they change nothing. */
  reset?(world: World): Promise<void>;
  /** What the requests have changed. Absent where they change nothing. */
  readonly changes?: Changes;
}

export interface Changes {
  /** To compare those of two servers. */
  list(world: World): Promise<readonly object[]>;
  count(world: World): Promise<number>;
}

const nodes = `nodeExecutions(first: 10) {
  nodes {
    id nodeId phase startedAt endedAt
    taskExecutions(first: 1) { nodes { id retryAttempt phase startedAt endedAt } }
  }
}`;

export const documents = {
  V0: `{ viewer { username } }`,
  Q1: `query ($id: ID!) {
  execution(by: { id: $id }) { id name domain phase createdAt startedAt endedAt ${nodes} }
}`,
  Q2: `query ($project: String!) {
  executions(first: 50, filter: { project: $project, domain: "production", phases: [SUCCEEDED] }) {
    nodes { id name phase createdAt startedAt endedAt ${nodes} }
  }
}`,
  Q3: `{ projects(first: 100) { nodes { id identifier name executionCounts { phase count } } } }`,
  Q4: `{
  viewer { id username name role }
  myPermissions(first: 25) { nodes { grant { id level resource { type id name } } } }
}`,
  M1: `mutation ($input: CreateTaskEventInput!) {
  createTaskEvent(input: $input) {
    __typename
    ... on CreateTaskEventPayload { taskExecution { id phase } }
  }
}`,
} as const;

/** So many different requests a workload has, if there is so much data. */
export const REQUESTS = 500;

export const personAt = ({ people }: World, at: number): Person => people[at % people.length] as Person;

async function fromRows<Row extends object>(
  world: World,
  query: string,
  sql: string,
  variablesOf: (row: Row) => object,
): Promise<Request[]> {
  const { rows } = await world.client.query<Row>(sql, [REQUESTS]);
  return rows.map((row, at) => ({ token: personAt(world, at).token, query, variables: variablesOf(row) }));
}

const sameForAll = (query: string) => async (world: World) =>
  Array.from({ length: REQUESTS }, (_, at) => ({ token: personAt(world, at).token, query, variables: {} }));

interface Reported {
  readonly id: string;
  readonly nodeId: string;
  readonly project: string;
  readonly domain: string;
  readonly userId: string;
}

/** The attempts that run, spread over the executions, each with a user who may report about it. */
const reportable = `
  select execution.id, node.node_id as "nodeId", project.identifier as project, execution.domain,
         (select user_id from grants where resource_id = project.id and level = 'EDIT'
           order by md5(user_id::text || execution.id::text) limit 1) as "userId"
    from executions as execution join projects as project on project.id = execution.project_id
    join node_executions as node on node.execution_id = execution.id
   where execution.phase = 'RUNNING' and execution.engine = 'EXTERNAL' and node.phase = 'RUNNING'
   order by md5(node.id::text) limit $1`;

/** More than the fastest server takes in one window. */
const REPORTS = 40_000;

export const workloads: readonly Workload[] = [
  { name: 'V0', title: 'the viewer', requests: sameForAll(documents.V0) },
  {
    name: 'Q1',
    title: 'an execution with 10 nodes and their attempts',
    requests: (world) =>
      fromRows<{ id: string }>(
        world,
        documents.Q1,
        'select id from executions order by md5(id::text) limit $1',
        ({ id }) => ({ id }),
      ),
  },
  {
    name: 'Q2',
    title: 'a page of 50 executions, 10 nodes each, latest attempt each',
    requests: (world) =>
      fromRows<{ project: string }>(
        world,
        documents.Q2,
        'select identifier as project from projects order by md5(identifier) limit $1',
        ({ project }) => ({ project }),
      ),
  },
  {
    name: 'Q3',
    title: '100 projects with counts of their executions by phase',
    requests: sameForAll(documents.Q3),
  },
  { name: 'Q4', title: 'the viewer with permissions', requests: sameForAll(documents.Q4) },
  {
    name: 'M1',
    title: 'one report of an attempt',
    async requests(world) {
      const { rows } = await world.client.query<Reported>(reportable, [REPORTS]);
      const occurredAt = new Date().toISOString();
      const tokens = new Map(world.people.map(({ id, token }) => [id, token]));
      return rows.map(({ id, nodeId, project, domain, userId }) => ({
        token: tokens.get(userId) ?? '',
        query: documents.M1,
        variables: {
          input: {
            execution: { id },
            nodeId,
            task: { project, domain, name: 'double', version: 'v1' },
            phase: 'SUCCEEDED',
            occurredAt,
          },
        },
      }));
    },
    async reset({ client }) {
      await client.query(
        `update task_executions as task set phase = 'RUNNING', ended_at = null, updated_at = task.created_at
           from executions as execution
          where execution.id = task.execution_id and execution.engine = 'EXTERNAL' and task.phase = 'SUCCEEDED'`,
      );
      await client.query(
        `update node_executions set latest_task_phase = 'RUNNING' where phase = 'RUNNING' and latest_task_phase = 'SUCCEEDED'`,
      );
      await client.query(
        `update executions set last_sequence = 0 where engine = 'EXTERNAL' and last_sequence > 0`,
      );
      await client.query('truncate execution_events');
      await client.query('vacuum task_executions, node_executions, executions');
    },
    changes: {
      async count({ client }) {
        const { rows } = await client.query<{ count: number }>(
          'select count(*)::int as count from execution_events',
        );
        return rows[0]?.count ?? 0;
      },
      async list({ client }) {
        const { rows } = await client.query<object>(
          `select task.id, task.phase, task.phase_version, task.details::text, task.ended_at, task.updated_at,
                  node.latest_task_phase, node.latest_attempt, execution.last_sequence, event.sequence, event.kind,
                  event.phase as reported, event.node_id, event.attempt, event.occurred_at
             from execution_events as event join executions as execution on execution.id = event.execution_id
             join node_executions as node on node.execution_id = execution.id and node.node_id = event.node_id
             join task_executions as task on task.id = node.latest_task_execution_id
            order by task.id`,
        );
        return rows;
      },
    },
  },
];

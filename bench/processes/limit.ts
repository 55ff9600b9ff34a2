import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { documents } from '../run/workloads.ts';
import { announce, type Claims, claimsOf } from './common.ts';
import {
  grantsSql,
  type ReportInput,
  reportSql,
  reportValues,
  run,
  runArrays,
  type UserRow,
  viewerSql,
  viewerValues,
} from './statements.ts';

/**
 * The limit: what a program costs that can answer only the documents of the bench. It has no GraphQL; each document has
 * a function with one or two prepared statements. With `LIMIT_FORM=json` PostgreSQL writes the lists as JSON.
 */

type Answer = (claims: Claims, variables: never) => Promise<string>;

const isJson = process.env['LIMIT_FORM'] === 'json';

const instant = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const nodesOf = `node_executions as node
  left join task_executions as task on task.id = node.latest_task_execution_id`;
const ofExecution = `node.execution_id = execution.id and node.parent_id is null and node.parent_task_id is null`;

const flat = (from: string) => `select execution.id, execution.name, execution.domain, execution.phase::text,
    execution.created_at, execution.started_at, execution.ended_at, node.* from (${from}) as execution
  left join lateral (
    select node.id, node.node_id, node.phase::text, node.started_at, node.ended_at,
           task.id, task.retry_attempt, task.phase::text, task.started_at, task.ended_at
      from ${nodesOf} where ${ofExecution} order by node.id desc limit 10
  ) as node(id, node_id, phase, started_at, ended_at, task_id, attempt, task_phase, task_started_at, task_ended_at) on true
  order by execution.created_at desc, execution.id desc, node.id desc`;

const asJson = (from: string, columns: string) => `select ${columns} || ',"nodeExecutions":{"nodes":'
    || coalesce(node.list, '[]') || '}}' as text from (${from}) as execution
  left join lateral (
    select json_agg(json_build_object('id', id, 'nodeId', node_id, 'phase', phase, 'startedAt', ${instant('started_at')},
             'endedAt', ${instant('ended_at')}, 'taskExecutions', json_build_object('nodes', json_build_array(
               json_build_object('id', task_id, 'retryAttempt', attempt, 'phase', task_phase,
                 'startedAt', ${instant('task_started_at')}, 'endedAt', ${instant('task_ended_at')}))))
             order by id desc)::text as list
      from (select node.id, node.node_id, node.phase::text as phase, node.started_at, node.ended_at, task.id as task_id,
                   task.retry_attempt as attempt, task.phase::text as task_phase, task.started_at as task_started_at,
                   task.ended_at as task_ended_at
              from ${nodesOf} where ${ofExecution} order by node.id desc limit 10) as node
  ) as node on true
  order by execution.created_at desc, execution.id desc`;

const columnsOf = (names: string) =>
  `rtrim(json_build_object(${names}, 'createdAt', ${instant('execution.created_at')},
     'startedAt', ${instant('execution.started_at')}, 'endedAt', ${instant('execution.ended_at')})::text, '}')`;

const oneFrom = `select * from executions where id = $1::uuid and tenant_id = $2::uuid`;
const pageFrom = `select execution.* from executions as execution join projects as project on project.id = execution.project_id
  where project.identifier = $1 and project.tenant_id = $2::uuid and execution.tenant_id = $2::uuid
    and execution.domain = 'production' and execution.phase = 'SUCCEEDED' and execution.state = 'ACTIVE'
  order by execution.created_at desc, execution.id desc limit 50`;

const oneRows = flat(oneFrom);
const pageRows = flat(pageFrom);
const oneJson = asJson(
  oneFrom,
  columnsOf(
    `'id', execution.id, 'name', execution.name, 'domain', execution.domain, 'phase', execution.phase`,
  ),
);
const pageJson = asJson(
  pageFrom,
  columnsOf(`'id', execution.id, 'name', execution.name, 'phase', execution.phase`),
);

const orNull = (text: unknown) => (text === null ? 'null' : `"${text}"`);

/** The text of executions from flat rows. Ids, phases and instants need no escaping. */
function textsOf(rows: readonly unknown[][], withDomain: boolean): string[] {
  const texts: string[] = [];
  let last: unknown = null;
  let text = '';
  const end = () => {
    if (last !== null) texts.push(`${text}]}}`);
  };
  for (const row of rows) {
    const [
      id,
      name,
      domain,
      phase,
      created,
      started,
      ended,
      nodeId,
      node,
      nodePhase,
      nodeStarted,
      nodeEnded,
    ] = row;
    if (id !== last) {
      end();
      last = id;
      text = `{"id":"${id}","name":${JSON.stringify(name)}${withDomain ? `,"domain":${JSON.stringify(domain)}` : ''},"phase":"${phase}","createdAt":"${created}","startedAt":${orNull(started)},"endedAt":${orNull(ended)},"nodeExecutions":{"nodes":[`;
    } else text += ',';
    if (nodeId === null) continue;
    text += `{"id":"${nodeId}","nodeId":${JSON.stringify(node)},"phase":"${nodePhase}","startedAt":${orNull(nodeStarted)},"endedAt":${orNull(nodeEnded)},"taskExecutions":{"nodes":[`;
    const [taskId, attempt, taskPhase, taskStarted, taskEnded] = row.slice(12);
    if (taskId !== null)
      text += `{"id":"${taskId}","retryAttempt":${attempt},"phase":"${taskPhase}","startedAt":${orNull(taskStarted)},"endedAt":${orNull(taskEnded)}}`;
    text += ']}}';
  }
  end();
  return texts;
}

const countsSql = `select id, identifier, name, counts.phase, counts.count
    from (select id, identifier, name from projects where tenant_id = $1::uuid and state = 'ACTIVE'
           order by identifier collate "C" limit 100) as project
    left join (select project_id, phase::text as phase, phase as position, count(*)::int as count from executions
                where tenant_id = $1::uuid and state = 'ACTIVE' group by project_id, phase) as counts
      on counts.project_id = project.id
   order by identifier collate "C", counts.position`;

const viewerOf = async (claims: Claims) => (await run<UserRow>(viewerSql, viewerValues(claims)))[0] ?? null;

const answers: Readonly<Record<keyof typeof documents, Answer>> = {
  async V0(claims) {
    const viewer = await viewerOf(claims);
    return `{"viewer":${viewer && JSON.stringify({ username: viewer.username })}}`;
  },
  async Q1({ tenantId }, { id }: { id: string }) {
    const [text = 'null'] = isJson
      ? (await run<{ text: string }>(oneJson, [id, tenantId])).map((row) => row.text)
      : textsOf(await runArrays(oneRows, [id, tenantId]), true);
    return `{"execution":${text}}`;
  },
  async Q2({ tenantId }, { project }: { project: string }) {
    const texts = isJson
      ? (await run<{ text: string }>(pageJson, [project, tenantId])).map((row) => row.text)
      : textsOf(await runArrays(pageRows, [project, tenantId]), false);
    return `{"executions":{"nodes":[${texts.join()}]}}`;
  },
  async Q3({ tenantId }) {
    const projects = new Map<
      unknown,
      { id: unknown; identifier: unknown; name: unknown; executionCounts: object[] }
    >();
    for (const [id, identifier, name, phase, count] of await runArrays(countsSql, [tenantId])) {
      let project = projects.get(id);
      if (project === undefined) {
        project = { id, identifier, name, executionCounts: [] };
        projects.set(id, project);
      }
      if (phase !== null) project.executionCounts.push({ phase, count });
    }
    return `{"projects":${JSON.stringify({ nodes: [...projects.values()] })}}`;
  },
  async Q4(claims) {
    const [viewer, grants] = await Promise.all([
      viewerOf(claims),
      runArrays(grantsSql, [claims.userId, claims.tenantId, 25]),
    ]);
    if (viewer === null) return '{"viewer":null}';
    const nodes = grants.map(([id, level, type, resourceId, name]) => ({
      grant: { id, level, resource: { type, id: resourceId, name } },
    }));
    return JSON.stringify({ viewer, myPermissions: { nodes } });
  },
  async M1(claims, { input }: { input: ReportInput }) {
    const [moved] = await run<{ id: string; phase: string }>(reportSql, reportValues(claims, input));
    if (!moved) return '{"createTaskEvent":{"__typename":"FailedPreconditionError"}}';
    return `{"createTaskEvent":{"__typename":"CreateTaskEventPayload","taskExecution":{"id":"${moved.id}","phase":"${moved.phase}"}}}`;
  },
};

const answerOf = new Map<string, Answer>(
  Object.entries(documents).map(([name, text]) => [text, answers[name as keyof typeof documents]]),
);

async function answer(request: IncomingMessage, body: string): Promise<string> {
  const claims = claimsOf(request.headers.authorization);
  if (claims === null) return '{"errors":[{"message":"the token is not valid"}]}';
  const { query, variables } = JSON.parse(body) as { query: string; variables: never };
  const known = answerOf.get(query);
  if (known === undefined) return '{"errors":[{"message":"this document is not known"}]}';
  return `{"data":${await known(claims, variables)}}`;
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => {
    answer(request, body).then(
      (text) => {
        response.writeHead(200, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(text),
        });
        response.end(text);
      },
      (error: Error) => {
        response.writeHead(500);
        response.end(JSON.stringify({ errors: [{ message: error.message }] }));
      },
    );
  });
});
server.listen(0, '127.0.0.1', () => announce(server.address() as AddressInfo));

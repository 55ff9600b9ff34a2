/** The values of executions, nodes and attempts, and where the time of an execution went. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSpanParts } from '../../src/executions/store/spans.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';

const project = 'values';
const name = 'valued';
let app: LocalApp;
let execution: string;

const second = (at: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, at)).toISOString();
const workflowEvent = (id: string, phase: string, at: number, more: object = {}) =>
  make(
    app,
    'createWorkflowEvent',
    { execution: { id }, phase, occurredAt: second(at), ...more },
    'execution',
  );
const nodeEvent = (nodeId: string, phase: string, at: number, more: object = {}, id = execution) =>
  make(
    app,
    'createNodeEvent',
    { execution: { id }, nodeId, phase, occurredAt: second(at), ...more },
    'nodeExecution',
  );
const taskEvent = (nodeId: string, phase: string, at: number, more: object = {}) =>
  make(
    app,
    'createTaskEvent',
    {
      ...{
        execution: { id: execution },
        nodeId,
        task: keyOf(project, 'double'),
        phase,
        occurredAt: second(at),
      },
      ...more,
    },
    'taskExecution',
  );

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [], b: ['a'] });
  execution = await launch(app, project, 'flow', { engine: 'EXTERNAL', name });
  // The clock of the engine decides about all times.
  await db.execution.update({ where: { id: execution }, data: { createdAt: new Date(second(0)) } });
});
afterAll(() => app.stop());

const dataFields = `inputs inputLiterals outputs outputLiterals inputUri outputUri flyteUrls { inputs outputs deck } files { uri }`;
async function dataOf(field: string, id: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { ${field}(by: { id: $id }) { data { ${dataFields} } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data[field].data;
}
/** Whether there are outputs. An empty object would match every other one. */
async function hasOutputs(field: string, id: string): Promise<boolean> {
  const { outputs, outputLiterals } = await dataOf(field, id);
  return Object.keys(outputs).length + Object.keys(outputLiterals).length > 0;
}
const integer = (value: number) => ({ scalar: { primitive: { integer: String(value) } } });
const base = `flyte://v1/${project}/${domain}/${name}`;
const error = { code: 'Bad', message: 'x', kind: 'USER' };

describe('data', () => {
  it('of a node and an attempt has values, literals, addresses and the addresses of Flyte', async () => {
    const uris = { inputUri: 's3://b/i', outputUri: 's3://b/o' };
    const node = await nodeEvent('a', 'RUNNING', 1, { inputs: { x: 2 }, deckUri: 's3://b/deck', ...uris });
    const attempt = await taskEvent('a', 'RUNNING', 1, { retryAttempt: 1, ...uris });
    await taskEvent('a', 'SUCCEEDED', 3, { retryAttempt: 1, outputs: { y: 4 } });
    expect(await dataOf('taskExecution', attempt)).toEqual({
      ...{ inputs: { x: 2 }, inputLiterals: { x: integer(2) }, outputs: { y: 4 } },
      ...{ outputLiterals: { y: integer(4) }, ...uris, files: [] },
      flyteUrls: { inputs: `${base}/a/1/i`, outputs: `${base}/a/1/o`, deck: `${base}/a/1/d` },
    });
    expect(await dataOf('nodeExecution', node)).toMatchObject({
      ...{ inputs: { x: 2 }, ...uris },
      flyteUrls: { inputs: `${base}/a/i`, outputs: `${base}/a/o`, deck: `${base}/a/d` },
    });
    expect(await hasOutputs('nodeExecution', node)).toBe(false);
    await nodeEvent('a', 'SUCCEEDED', 4, { outputs: { y: 4 } });
    expect(await dataOf('nodeExecution', node)).toMatchObject({ outputs: { y: 4 } });
  });

  it('has no outputs of what failed, also if the engine sent some', async () => {
    const node = await nodeEvent('b', 'RUNNING', 4);
    const attempt = await taskEvent('b', 'RUNNING', 4);
    await taskEvent('b', 'FAILED', 5, { outputs: { y: 9 }, error });
    await nodeEvent('b', 'FAILED', 6, { outputs: { y: 9 }, error });
    expect(await hasOutputs('taskExecution', attempt)).toBe(false);
    expect(await hasOutputs('nodeExecution', node)).toBe(false);
    expect(await dataOf('nodeExecution', node)).toMatchObject({
      ...{ inputUri: null, outputUri: null },
      flyteUrls: { inputs: `${base}/b/i`, outputs: `${base}/b/o`, deck: null },
    });
  });

  it('of an execution has its outputs only when it has succeeded', async () => {
    const [failed, succeeded] = [
      await launch(app, project, 'flow', { engine: 'EXTERNAL' }),
      await launch(app, project, 'flow', { engine: 'EXTERNAL' }),
    ];
    await workflowEvent(failed, 'FAILED', 1, { outputs: { z: 1 }, error });
    expect(await dataOf('execution', failed)).toMatchObject({ inputs: { x: 1 } });
    expect(await hasOutputs('execution', failed)).toBe(false);
    await workflowEvent(succeeded, 'SUCCEEDING', 1, { outputs: { z: 1 } });
    expect(await hasOutputs('execution', succeeded)).toBe(false);
    await workflowEvent(succeeded, 'SUCCEEDED', 1, { outputs: { z: 1 } });
    expect(await dataOf('execution', succeeded)).toEqual({
      ...{ inputs: { x: 1 }, inputLiterals: { x: integer(1) }, outputs: { z: 1 } },
      ...{ outputLiterals: { z: integer(1) }, inputUri: null, outputUri: null, flyteUrls: null, files: [] },
    });
  });
});

describe('dynamicWorkflow', () => {
  const dynamicOf = async (id: string) =>
    (
      await app.ask(
        'query ($id: ID!) { nodeExecution(by: { id: $id }) { isDynamic dynamicWorkflow { id compiledWorkflow } } }',
        { id },
      )
    ).data.nodeExecution;
  const compiledWorkflow = { primary: { template: { id: { name: 'made' }, nodes: [] } } };

  it('is the compiled workflow that the node reported, in the order in which it was written', async () => {
    const id = await nodeEvent('dynamic', 'RUNNING', 1);
    expect(await dynamicOf(id)).toEqual({ isDynamic: false, dynamicWorkflow: null });
    const dynamicWorkflow = {
      id: { project: 'p', domain: 'd', name: 'made', version: 'v' },
      compiledWorkflow,
    };
    await nodeEvent('dynamic', 'DYNAMIC_RUNNING', 2, { dynamicWorkflow });
    expect(await dynamicOf(id)).toEqual({ isDynamic: true, dynamicWorkflow });
    await nodeEvent('dynamic', 'SUCCEEDED', 3);
    expect(JSON.stringify((await dynamicOf(id)).dynamicWorkflow.compiledWorkflow)).toBe(
      JSON.stringify(compiledWorkflow),
    );
  });

  it('is null for a node that is dynamic but reported no workflow', async () => {
    const id = await nodeEvent('silent', 'RUNNING', 1, { isDynamic: true });
    expect(await dynamicOf(id)).toEqual({ isDynamic: true, dynamicWorkflow: null });
  });

  it.each([
    [{ compiledWorkflow }, ['id']],
    [{ id: {} }, ['compiledWorkflow']],
    [{ id: {}, compiledWorkflow: {} }, ['compiledWorkflow', 'primary']],
    [{ id: {}, compiledWorkflow: { primary: {} } }, ['compiledWorkflow', 'primary', 'template']],
    [
      { id: {}, compiledWorkflow: { primary: { template: {} } } },
      ['compiledWorkflow', 'primary', 'template', 'id'],
    ],
  ])('needs all its parts: %j', async (dynamicWorkflow, path) => {
    const event = { execution: { id: execution }, nodeId: 'x', phase: 'RUNNING', occurredAt: second(1) };
    expect(await mutate(app, 'createNodeEvent', { ...event, dynamicWorkflow })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'dynamicWorkflow', ...path],
    });
  });
});

describe('metrics', () => {
  const spans = 'kind nodeId retryAttempt operation startedAt endedAt duration isCut';
  const metricsDocument = `query ($by: ExecutionByInput!, $depth: Int) { execution(by: $by) { metrics(depth: $depth) {
    ${spans} spans { ${spans} spans { ${spans} spans { ${spans} spans { kind } } } } } } }`;
  let measured: string;

  beforeAll(async () => {
    measured = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
    await db.execution.update({ where: { id: measured }, data: { createdAt: new Date(second(0)) } });
    const event = (phase: string, at: number) => ({
      ...{ execution: { id: measured }, nodeId: 'a', task: keyOf(project, 'double'), phase },
      occurredAt: second(at),
    });
    await workflowEvent(measured, 'RUNNING', 1);
    await nodeEvent('a', 'QUEUED', 2, {}, measured);
    for (const [phase, at] of [
      ['QUEUED', 2],
      ['INITIALIZING', 4],
      ['RUNNING', 5],
      ['SUCCEEDED', 8],
    ] as const)
      await make(app, 'createTaskEvent', event(phase, at), 'taskExecution');
    await nodeEvent('a', 'SUCCEEDED', 9, {}, measured);
    await workflowEvent(measured, 'SUCCEEDED', 10, { outputs: { z: 1 } });
  });

  it('are a tree of what took how long', async () => {
    const { data, errors } = await app.ask(metricsDocument, { by: { id: measured } });
    expect(errors).toBeUndefined();
    const brief = ({
      kind,
      nodeId,
      retryAttempt,
      operation,
      duration,
      isCut,
      spans: inner,
    }: Answer): Answer => [
      operation ?? [kind, nodeId, retryAttempt].filter((part) => part !== null).join(' '),
      duration,
      ...(isCut ? ['cut'] : []),
      ...(inner ?? []).map(brief),
    ];
    expect(brief(data.execution.metrics)).toEqual([
      ...['EXECUTION', 'PT10S'],
      ['SETUP', 'PT2S'],
      [
        ...['NODE a', 'PT7S'],
        [...['ATTEMPT a 0', 'PT6S'], ['QUEUED', 'PT2S'], ['SETUP', 'PT1S'], ['RUNNING', 'PT3S']],
        ['TEARDOWN', 'PT1S'],
      ],
      ['TEARDOWN', 'PT1S'],
    ]);
    expect(data.execution.metrics).toMatchObject({ startedAt: second(0), endedAt: second(10) });
  });

  it('have at most `depth` levels', async () => {
    const { data } = await app.ask(metricsDocument, { by: { id: measured }, depth: 2 });
    const [, node] = data.execution.metrics.spans;
    expect(node).toMatchObject({ kind: 'NODE', isCut: true, spans: [] });
  });

  it.each([1, 20])('may have %i levels', async (depth) => {
    const { data } = await app.ask(metricsDocument, { by: { id: measured }, depth });
    expect(data.execution.metrics.isCut).toBe(depth === 1);
  });

  it.each([0, 21])('refuse %i levels', async (depth) => {
    const { errors } = await app.ask(metricsDocument, { by: { id: measured }, depth });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_ARGUMENT' } }]);
  });

  it('measure the first thousand nodes, in the same three statements', async () => {
    const large = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
    const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id: large } });
    await db.nodeExecution.createMany({
      data: Array.from({ length: 1001 }, (_, index) => ({
        ...{ tenantId, executionId: large, nodeId: `n${index}`, specNodeId: 'n', phase: 'QUEUED' as const },
      })),
    });
    const statementsOf = async (id: string) => {
      const ask = () =>
        app.ask(
          'query ($by: ExecutionByInput!) { execution(by: $by) { metrics { isCut spans { kind isCut } } } }',
          { by: { id } },
        );
      // The first request may read the sign-in.
      await ask();
      return await countStatements(ask);
    };
    const [few, many] = [await statementsOf(measured), await statementsOf(large)];
    const { isCut, spans: inside } = many.result.data.execution.metrics;
    expect(isCut).toBe(true);
    expect(inside.filter(({ kind }: Answer) => kind === 'NODE')).toHaveLength(1000);
    expect(few.result.data.execution.metrics.isCut).toBe(false);
    expect(few.statements).toHaveLength(4);
    expect(many.statements).toHaveLength(4);
  });

  it('measure the first 1000 nodes, 5000 attempts and 20000 phases, and are cut beyond those of the first two', async () => {
    const id = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
    const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id } });
    /** One row for each number. */
    const add = (into: string, columns: string, values: string, from: number, to: number) =>
      pool.query(
        `insert into ${into} (execution_id, tenant_id, ${columns})
         select $1::uuid, $2::uuid, ${values} from generate_series($3::int, $4::int) as at`,
        [id, tenantId, from, to],
      );
    const addNodes = (from: number, to: number) =>
      add('node_executions', 'id, node_id, spec_node_id', "gen_random_uuid(), 'n' || at, 'n'", from, to);
    await addNodes(1, 1000);
    const nodes = "(select id from node_executions where execution_id = $1::uuid and node_id = 'n1')";
    const addAttempts = (from: number, to: number) =>
      add(
        'task_executions',
        'id, node_execution_id, retry_attempt, task_project, task_domain, task_name, task_version',
        `gen_random_uuid(), ${nodes}, at, 'p', 'd', 'n', 'v'`,
        ...([from, to] as const),
      );
    await addAttempts(1, 5000);
    const phase = "'TASK', 'RUNNING', 'n1', 1, now()";
    await add(
      'execution_events',
      'sequence, kind, phase, node_id, attempt, occurred_at',
      `at, ${phase}`,
      2,
      20_002,
    );
    const measure = async () => {
      const [parts] = await readSpanParts([id]);
      const phases = parts?.attempts.flatMap((attempt) => attempt.phases).length;
      return [parts?.nodes.length, parts?.attempts.length, phases, parts?.isCut];
    };
    expect(await measure()).toEqual([1000, 5000, 20_000, false]);
    await addAttempts(5001, 5001);
    expect(await measure()).toEqual([1000, 5000, 20_000, true]);
    await pool.query('delete from task_executions where execution_id = $1 and retry_attempt = 5001', [id]);
    await addNodes(1001, 1001);
    expect(await measure()).toEqual([1000, 5000, 20_000, true]);
  });
});

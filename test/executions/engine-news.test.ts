/** What an engine from outside says about nodes and attempts can be read again, field by field. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, make, mutate } from '../support/mutate.ts';
import { keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const project = 'news';
const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:01:00.000Z';
let app: LocalApp;
let execution: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [], b: ['a'] });
  execution = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
});
afterAll(() => app.stop());

const nodeEvent = (nodeId: string, phase: string, more: object = {}) =>
  make(
    app,
    'createNodeEvent',
    { execution: { id: execution }, nodeId, phase, occurredAt: at, ...more },
    'nodeExecution',
  );
const taskEvent = (nodeId: string, phase: string, more: object = {}) =>
  make(
    app,
    'createTaskEvent',
    {
      ...{ execution: { id: execution }, nodeId, task: keyOf(project, 'double'), phase, occurredAt: at },
      ...more,
    },
    'taskExecution',
  );

const nodeFields = `name retryGroup isParent isDynamic isArray isEager isInDynamicChain cacheStatus catalogKey
  reservationStatus checkpointUri deckUri inputUri outputUri dynamicJobSpecUri
  targetEntity { type key { project domain name version } } parentTaskExecution { id } childExecution { id }`;
async function readNode(id: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { nodeExecution(by: { id: $id }) { ${nodeFields} } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data.nodeExecution;
}

const taskFields = `phaseVersion isParent customInfo taskType logContext eventVersion inputUri outputUri reason
  logs { uri name messageFormat ttl showWhilePending hideOnceFinished }
  reasons { occurredAt message }
  metadata { generatedName pluginIdentifier instanceClass resourcePoolInfo { allocationToken namespace }
    externalResources { externalId index retryAttempt phase cacheStatus customInfo logs { uri }
      childExecution { id } } }`;
async function readTask(id: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { taskExecution(by: { id: $id }) { ${taskFields} } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data.taskExecution;
}

const nothing = {
  ...{ name: null, retryGroup: null, isParent: false, isDynamic: false, isArray: false, isEager: false },
  ...{ isInDynamicChain: false, cacheStatus: 'DISABLED', catalogKey: null, reservationStatus: null },
  ...{ checkpointUri: null, deckUri: null, inputUri: null, outputUri: null, dynamicJobSpecUri: null },
  ...{ targetEntity: null, parentTaskExecution: null, childExecution: null },
};

describe('a node', () => {
  it('has nothing but defaults if the engine says nothing', async () => {
    expect(await readNode(await nodeEvent('plain', 'RUNNING'))).toEqual(nothing);
    const nulls = { isParent: null, isDynamic: null, isArray: null, isEager: null, isInDynamicChain: null };
    expect(await readNode(await nodeEvent('null', 'RUNNING', nulls))).toEqual(nothing);
  });

  it('has all that its events said', async () => {
    const said = {
      ...{ retryGroup: '1', isParent: true, isDynamic: true, isArray: true, isEager: true },
      ...{ isInDynamicChain: true, cacheStatus: 'HIT', reservationStatus: 'ACQUIRED' },
      catalogKey: { datasetId: { name: 'd' }, artifactTag: { name: 't' } },
      ...{ checkpointUri: 's3://b/c', deckUri: 's3://b/deck', inputUri: 's3://b/i', outputUri: 's3://b/o' },
      dynamicJobSpecUri: 's3://b/spec',
      targetEntity: { type: 'TASK', key: keyOf('elsewhere', 'unknown') },
    };
    const id = await nodeEvent('told', 'RUNNING', { ...said, nodeName: 'Told' });
    expect(await readNode(id)).toEqual({ ...nothing, ...said, name: 'Told' });
    await nodeEvent('told', 'SUCCEEDED', { inputUri: 's3://b/other', outputUri: 's3://b/last' });
    expect(await readNode(id)).toEqual({ ...nothing, ...said, name: 'Told', outputUri: 's3://b/last' });
  });

  it('forgets the status of the cache if it comes without the entry', async () => {
    expect(await readNode(await nodeEvent('uncached', 'RUNNING', { cacheStatus: 'HIT' }))).toEqual(nothing);
  });

  it('needs a complete key of what it runs', async () => {
    const targetEntity = { type: 'TASK', key: { ...keyOf(project, 'double'), version: '' } };
    const event = {
      execution: { id: execution },
      nodeId: 'x',
      phase: 'RUNNING',
      occurredAt: at,
      targetEntity,
    };
    expect(await mutate(app, 'createNodeEvent', event)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ code: 'MissingField', path: ['input', 'targetEntity', 'key', 'version'] }],
    });
  });

  it('leads to the execution that the engine started for it', async () => {
    const child = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
    const id = await nodeEvent('launching', 'RUNNING', { childExecution: { id: child } });
    expect(await readNode(id)).toMatchObject({
      childExecution: { id: child },
      targetEntity: { type: 'LAUNCH_PLAN', key: keyOf(project, 'flow') },
    });
  });

  it('does not lead to that execution for somebody who may not read it', async () => {
    const hidden = 'hidden-news';
    const [open] = [project, await registerProject(app, hidden)];
    await registerTask(app, hidden, 'double');
    await registerWorkflow(app, hidden, 'flow', { a: [] });
    const child = await launch(app, hidden, 'flow', { engine: 'EXTERNAL' });
    const id = await nodeEvent('launching-hidden', 'RUNNING', { childExecution: { id: child } });
    const { data: found } = await app.ask(`{ project(by: { identifier: "${open}" }) { id } }`);
    const reader = await newCaller({
      role: 'USER',
      grants: [{ type: 'PROJECT', id: found.project.id, level: 'READ' }],
    });
    const { data } = await app.ask(
      'query ($id: ID!) { nodeExecution(by: { id: $id }) { nodeId childExecution { id } targetEntity { type } } }',
      { id },
      reader,
    );
    expect(data.nodeExecution).toEqual({
      nodeId: 'launching-hidden',
      childExecution: null,
      targetEntity: null,
    });
  });

  it('keeps the inputs of the first event that brings them', async () => {
    const read = async (id: string) =>
      (await app.ask('query ($id: ID!) { nodeExecution(by: { id: $id }) { data { inputs } } }', { id })).data
        .nodeExecution.data.inputs;
    const id = await nodeEvent('a', 'QUEUED', { inputs: { x: 3 } });
    await nodeEvent('a', 'RUNNING', { inputs: { x: 4 } });
    expect(await read(id)).toEqual({ x: 3 });
    const other = await nodeEvent('b', 'QUEUED');
    const attempt = await taskEvent('b', 'RUNNING', { inputs: { x: 5 } });
    await taskEvent('b', 'SUCCEEDED', { inputs: { x: 6 } });
    expect(await read(other)).toEqual({ x: 5 });
    const { data } = await app.ask(`{ taskExecution(by: { id: "${attempt}" }) { data { inputs } } }`);
    expect(data.taskExecution.data.inputs).toEqual({ x: 5 });
    expect(
      await mutate(app, 'createNodeEvent', {
        ...{ execution: { id: execution }, nodeId: 'a', phase: 'FAILING', occurredAt: at },
        inputs: { x: 'three' },
      }),
    ).toMatchObject({ problems: [{ code: 'MismatchingTypes', path: ['input', 'inputs', 'x'] }] });
  });
});

describe('an attempt', () => {
  it('has nothing but defaults if the engine says nothing', async () => {
    await nodeEvent('quiet', 'RUNNING');
    expect(await readTask(await taskEvent('quiet', 'RUNNING'))).toEqual({
      ...{ phaseVersion: 0, isParent: false, customInfo: null, logContext: null, eventVersion: 0 },
      // The registered task says it.
      taskType: 'container',
      ...{ inputUri: null, outputUri: null, reason: null, logs: [], reasons: [], metadata: null },
    });
  });

  it('has all that its events said', async () => {
    await nodeEvent('loud', 'RUNNING');
    const child = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
    const log = {
      ...{ uri: 'https://logs/1', name: 'main', messageFormat: 'JSON', ttl: 'PT1H' },
      ...{ showWhilePending: true, hideOnceFinished: false },
    };
    const metadata = {
      ...{ generatedName: 'pod-1', pluginIdentifier: 'k8s', instanceClass: 'INTERRUPTIBLE' },
      resourcePoolInfo: [{ allocationToken: 'token', namespace: 'pool' }],
      externalResources: [
        {
          ...{ externalId: 'item', index: 3, retryAttempt: 1, phase: 'RUNNING', cacheStatus: 'MISS' },
          customInfo: { at: 3 },
          logs: [{ uri: 'https://logs/item' }],
          childExecution: { id: child },
        },
      ],
    };
    const said = {
      ...{ customInfo: { url: 'x' }, taskType: 'spark', logContext: { primaryPodName: 'pod-1' } },
      ...{ eventVersion: 2, inputUri: 's3://b/i', outputUri: 's3://b/o' },
    };
    const id = await taskEvent('loud', 'RUNNING', { ...said, logs: [log], metadata, reason: 'pulling' });
    await taskEvent('loud', 'RUNNING', { phaseVersion: 7, reason: 'working', occurredAt: later });
    expect(await readTask(id)).toEqual({
      ...{ ...said, phaseVersion: 7, isParent: false, reason: 'working', logs: [log], metadata },
      reasons: [
        { occurredAt: at, message: 'pulling' },
        { occurredAt: later, message: 'working' },
      ],
    });
  });

  it('has logs and resources with defaults where the engine says null', async () => {
    await nodeEvent('sparse', 'RUNNING');
    const uri = 'https://logs/1';
    const log = { uri, name: null, messageFormat: null, showWhilePending: null, hideOnceFinished: null };
    const resource = { phase: 'RUNNING', externalId: null, index: null, retryAttempt: null, logs: null };
    const metadata = { generatedName: 'pod-1', externalResources: [{ ...resource, cacheStatus: null }] };
    expect(await readTask(await taskEvent('sparse', 'RUNNING', { logs: [log], metadata }))).toMatchObject({
      logs: [
        {
          ...{ uri, name: '', messageFormat: 'UNKNOWN', ttl: null },
          ...{ showWhilePending: false, hideOnceFinished: false },
        },
      ],
      metadata: {
        externalResources: [
          { externalId: '', index: 0, retryAttempt: 0, cacheStatus: 'DISABLED', customInfo: null, logs: [] },
        ],
      },
    });
  });

  it('releases the shares of pools if an event says so', async () => {
    await nodeEvent('pools', 'RUNNING');
    const pool = { allocationToken: 'token', namespace: 'pool' };
    const id = await taskEvent('pools', 'RUNNING', { metadata: { resourcePoolInfo: [pool] } });
    const poolsAfter = async (phaseVersion: number, metadata: object) => {
      await taskEvent('pools', 'RUNNING', { phaseVersion, metadata });
      return (await readTask(id)).metadata.resourcePoolInfo;
    };
    expect(await poolsAfter(1, { generatedName: 'pod' })).toEqual([pool]);
    expect(await poolsAfter(2, { resourcePoolInfo: [] })).toEqual([]);
  });

  it('has at most 100 shares of pools', async () => {
    await nodeEvent('many-pools', 'RUNNING');
    const pools = Array.from({ length: 101 }, (_, at) => ({ allocationToken: `${at}`, namespace: 'pool' }));
    const send = (resourcePoolInfo: object[]) =>
      mutate(app, 'createTaskEvent', {
        ...{ execution: { id: execution }, nodeId: 'many-pools', task: keyOf(project, 'double') },
        ...{ phase: 'RUNNING', occurredAt: at, metadata: { resourcePoolInfo } },
      });
    expect(await send(pools)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'metadata', 'resourcePoolInfo'],
    });
    expect(endOf(await send(pools.slice(1)))).toBe('OK');
  });

  describe('that started executions', () => {
    const send = (nodeId: string, children: readonly (object | null)[], authorization?: string) =>
      mutate(
        app,
        'createTaskEvent',
        {
          ...{ execution: { id: execution }, nodeId, task: keyOf(project, 'double') },
          ...{ phase: 'RUNNING', occurredAt: at },
          metadata: {
            externalResources: children.map((childExecution, index) => ({
              ...{ index, phase: 'RUNNING' },
              ...(childExecution && { childExecution }),
            })),
          },
        },
        'taskExecution { id metadata { externalResources { index childExecution { name } } } }',
        authorization,
      );

    it('leads to each of them, and to none for things that are no execution', async () => {
      await nodeEvent('children', 'RUNNING');
      const names = ['child-a', 'child-b'];
      const [first] = await Promise.all(
        names.map((name) => launch(app, project, 'flow', { engine: 'EXTERNAL', name })),
      );
      const key = { project, domain: 'development', name: 'child-b' };
      const { taskExecution } = await send('children', [{ id: first }, null, { key }]);
      expect(taskExecution.metadata.externalResources).toEqual([
        { index: 0, childExecution: { name: 'child-a' } },
        { index: 1, childExecution: null },
        { index: 2, childExecution: { name: 'child-b' } },
      ]);
    });

    it('refuses an absent or hidden execution with its place, and stores nothing', async () => {
      await nodeEvent('no-child', 'RUNNING');
      const closed = await registerProject(app, 'closed-news');
      await registerTask(app, 'closed-news', 'double');
      await registerWorkflow(app, 'closed-news', 'flow', { a: [] });
      const hidden = await launch(app, 'closed-news', 'flow', { engine: 'EXTERNAL' });
      const own = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
      const editor = await newCaller({
        ...{ role: 'USER', level: 'EDIT' },
        grants: [{ type: 'PROJECT', id: closed, level: 'NO_PERMISSIONS' }],
      });
      for (const id of [hidden, '00000000-0000-7000-8000-000000000000'])
        expect(await send('no-child', [null, { id: own }, { id }], editor)).toMatchObject({
          code: 'NOT_FOUND',
          path: ['input', 'metadata', 'externalResources', '2', 'childExecution'],
          message: expect.stringContaining(id),
        });
      expect(endOf(await send('no-child', [{ id: own }], editor))).toBe('OK');
    });

    it('takes as many statements for 30 of them as for 2', async () => {
      const children: { id: string }[] = [];
      for (let made = 0; made < 30; made += 1)
        children.push({ id: await launch(app, project, 'flow', { engine: 'EXTERNAL' }) });
      const counted = async (nodeId: string, count: number) => {
        await nodeEvent(nodeId, 'RUNNING');
        const { result, statements } = await countStatements(() => send(nodeId, children.slice(0, count)));
        expect(result.taskExecution.metadata.externalResources).toHaveLength(count);
        return statements.length;
      };
      expect(await counted('few', 2)).toBe(await counted('many', 30));
    });
  });

  it('contains nodes, in the old form of dynamic tasks', async () => {
    await nodeEvent('old', 'RUNNING');
    const attempt = await taskEvent('old', 'RUNNING');
    const inner = await nodeEvent('old-0-x', 'RUNNING', { parentTaskExecution: attempt });
    expect(await readNode(inner)).toMatchObject({ parentTaskExecution: { id: attempt } });
    expect(await readTask(attempt)).toMatchObject({ isParent: true });
  });

  it('does not tell the type of a task that is hidden from the caller', async () => {
    const away = await registerProject(app, 'away-news');
    await registerTask(app, 'away-news', 'secret');
    await nodeEvent('secretive', 'RUNNING');
    const id = await taskEvent('secretive', 'RUNNING', { task: keyOf('away-news', 'secret') });
    const { data: home } = await app.ask(`{ project(by: { identifier: "${project}" }) { id } }`);
    const ask = async (grants: readonly string[]) => {
      const reader = await newCaller({
        role: 'USER',
        grants: grants.map((projectId) => ({ type: 'PROJECT', id: projectId, level: 'READ' })),
      });
      return (await app.ask(`{ taskExecution(by: { id: "${id}" }) { taskType } }`, {}, reader)).data;
    };
    expect(await ask([home.project.id])).toEqual({ taskExecution: { taskType: null } });
    expect(await ask([home.project.id, away])).toEqual({ taskExecution: { taskType: 'container' } });
  });
});

describe('the details', () => {
  it('are read only if a query asks for them, and once for all nodes and all attempts', async () => {
    const ask = (nodes: string, tasks: string) =>
      countStatements(() =>
        app.ask(
          `query ($id: ID!) { execution(by: { id: $id }) { nodeExecutions(first: 50) { nodes {
             nodeId ${nodes} taskExecutions(first: 5) { nodes { id ${tasks} } } } } } }`,
          { id: execution },
        ),
      );
    const none = await ask('', '');
    const all = await ask(
      'retryGroup deckUri catalogKey isEager',
      'customInfo reasons { message } eventVersion',
    );
    expect(all.result.errors).toBeUndefined();
    expect(all.result.data.execution.nodeExecutions.nodes.length).toBeGreaterThan(5);
    expect(none.statements.filter((text) => text.includes('details'))).toEqual([]);
    expect(all.statements.filter((text) => text.includes('details'))).toHaveLength(2);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  domain,
  eventually,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';

const project = 'outside';
const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:00:10.000Z';
let app: LocalApp;

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [], b: ['a'] });
});
afterAll(() => app.stop());

const external = () => launch(app, project, 'flow', { engine: 'EXTERNAL' });

const workflowEvent = (id: string, phase: string, more: object = {}) =>
  mutate(
    app,
    'createWorkflowEvent',
    { execution: { id }, phase, occurredAt: at, ...more },
    'execution { phase cluster startedAt endedAt duration data { outputs } error { code } abort { cause } }',
  ).then(flat);
const nodeEvent = (id: string, phase: string, more: object = {}) =>
  mutate(
    app,
    'createNodeEvent',
    { execution: { id }, nodeId: 'a', phase, occurredAt: at, ...more },
    'nodeExecution { id nodeId specNodeId phase kind startedAt updatedAt data { outputs } parent { nodeId } }',
  ).then(flat);
const taskEvent = (id: string, phase: string, more: object = {}) =>
  mutate(
    app,
    'createTaskEvent',
    { execution: { id }, nodeId: 'a', task: keyOf(project, 'double'), phase, occurredAt: at, ...more },
    'taskExecution { id phase retryAttempt startedAt updatedAt reason taskKey { name } task { name } error { code kind } }',
  ).then(flat);
const flat = (answer: Answer) => answer.execution ?? answer.nodeExecution ?? answer.taskExecution ?? answer;

/** Everything that an event could have changed. */
const stateOf = async (id: string) =>
  (
    await app.ask(
      `query ($id: ID!) { execution(by: { id: $id }) {
         phase updatedAt startedAt nodeExecutions { nodes { phase updatedAt taskExecutions { nodes { phase updatedAt reason } } } } } }`,
      { id },
    )
  ).data.execution;

describe('createWorkflowEvent', () => {
  it('moves an execution, gives it to the engine of its event QUEUED, and measures its duration', async () => {
    const id = await external();
    expect(await workflowEvent(id, 'QUEUED', { producerId: 'east' })).toMatchObject({ cluster: 'east' });
    expect(await workflowEvent(id, 'RUNNING', { producerId: 'east' })).toMatchObject({ startedAt: at });
    const ended = { producerId: 'east', occurredAt: later, outputs: { z: 4 } };
    expect(await workflowEvent(id, 'SUCCEEDED', ended)).toMatchObject({
      phase: 'SUCCEEDED',
      duration: 'PT10S',
      data: { outputs: { z: 4 } },
    });
  });

  it('refuses another engine, with the name of the one that runs it', async () => {
    const id = await external();
    await workflowEvent(id, 'QUEUED', { producerId: 'east' });
    expect(await workflowEvent(id, 'RUNNING', { producerId: 'west' })).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'the execution is run by east',
    });
    expect(await workflowEvent(id, 'QUEUED', { producerId: 'west' })).toMatchObject({ cluster: 'west' });
  });

  it('answers ALREADY_EXISTS for a repeated event, and changes nothing, also after the end', async () => {
    const id = await external();
    for (const phase of ['RUNNING', 'FAILED']) {
      const error = phase === 'FAILED' ? { code: 'Bad', message: 'it broke', kind: 'USER' } : null;
      await workflowEvent(id, phase, { error });
      const before = await stateOf(id);
      expect(await workflowEvent(id, phase, { occurredAt: later, error })).toMatchObject({
        code: 'ALREADY_EXISTS',
      });
      expect(await stateOf(id)).toEqual(before);
    }
    expect(await workflowEvent(id, 'RUNNING')).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('lets one of eight clients move it', async () => {
    const id = await external();
    const answers = await Promise.all(Array.from({ length: 8 }, () => workflowEvent(id, 'RUNNING')));
    expect(answers.map((answer) => answer.code ?? answer.phase).sort()).toEqual([
      ...Array.from({ length: 7 }, () => 'ALREADY_EXISTS'),
      'RUNNING',
    ]);
  });

  it('keeps a request to abort, unless the end brings a result', async () => {
    const ids = [await external(), await external()] as const;
    for (const id of ids) {
      await workflowEvent(id, 'RUNNING');
      await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
      expect(await workflowEvent(id, 'RUNNING')).toMatchObject({ code: 'FAILED_PRECONDITION' });
    }
    expect(await workflowEvent(ids[0], 'ABORTED')).toMatchObject({
      phase: 'ABORTED',
      abort: { cause: 'enough' },
    });
    expect(await workflowEvent(ids[1], 'SUCCEEDED', { outputs: { z: 1 } })).toMatchObject({
      phase: 'SUCCEEDED',
      abort: null,
    });
  });

  it('gives an aborted execution a cause, also if nobody asked for it', async () => {
    const id = await external();
    expect(await workflowEvent(id, 'ABORTED')).toMatchObject({ abort: { cause: 'the engine aborted it' } });
  });

  it('checks outputs with the interface of the workflow', async () => {
    const id = await external();
    expect(await workflowEvent(id, 'SUCCEEDED', { outputs: { z: 'four' } })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ code: 'MismatchingTypes', path: ['input', 'outputs', 'z'] }],
    });
  });

  it('refuses an execution that Slipway runs itself', async () => {
    const id = await launch(app, project, 'flow');
    expect(await workflowEvent(id, 'RUNNING')).toMatchObject({ code: 'FAILED_PRECONDITION' });
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'done' });
  });
});

describe('an execution of an engine from outside', () => {
  it('is not touched by our scheduler', async () => {
    const id = await external();
    const own = await launch(app, project, 'flow');
    await eventually(
      () => stateOf(own),
      (execution) => execution.phase === 'RUNNING',
    );
    expect(await stateOf(id)).toMatchObject({ phase: 'QUEUED', nodeExecutions: { nodes: [] } });
  });
});

describe('createNodeEvent', () => {
  it('creates a node with its first event, whatever its phase, and lets it go back without losing its start', async () => {
    const id = await external();
    expect(await nodeEvent(id, 'RUNNING')).toMatchObject({ nodeId: 'a', kind: 'TASK', startedAt: at });
    expect(await nodeEvent(id, 'QUEUED', { occurredAt: later })).toMatchObject({
      phase: 'QUEUED',
      startedAt: at,
    });
    expect(await nodeEvent(id, 'SUCCEEDED', { nodeId: 'b', outputs: { y: 2 } })).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { y: 2 } },
    });
  });

  it('uses the time of the report for the last change', async () => {
    const id = await external();
    expect(await nodeEvent(id, 'RUNNING', { reportedAt: later })).toMatchObject({
      startedAt: at,
      updatedAt: later,
    });
  });

  it('refuses an event after the end, with the current phase', async () => {
    const id = await external();
    await nodeEvent(id, 'FAILED');
    expect(await nodeEvent(id, 'RUNNING')).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('FAILED'),
    });
    expect(await nodeEvent(id, 'FAILED')).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('puts a node inside of another one, which must exist', async () => {
    const id = await external();
    expect(await nodeEvent(id, 'RUNNING', { nodeId: 'a-0-x', parentNodeId: 'a' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    await nodeEvent(id, 'DYNAMIC_RUNNING', { isParent: true, isDynamic: true });
    const inner = { nodeId: 'a-0-x', specNodeId: 'x', parentNodeId: 'a' };
    expect(await nodeEvent(id, 'RUNNING', inner)).toMatchObject({ specNodeId: 'x', parent: { nodeId: 'a' } });
  });

  it('lets one of eight clients create it', async () => {
    const id = await external();
    const answers = await Promise.all(Array.from({ length: 8 }, () => nodeEvent(id, 'QUEUED')));
    expect(answers.filter((answer) => answer.phase === 'QUEUED')).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'ALREADY_EXISTS')).toHaveLength(7);
  });

  it('does not find an execution that does not exist, or a child that does not', async () => {
    expect(await nodeEvent('00000000-0000-7000-8000-000000000000', 'QUEUED')).toMatchObject({
      code: 'NOT_FOUND',
    });
    const child = { key: { project, domain, name: 'nothing' } };
    expect(await nodeEvent(await external(), 'RUNNING', { childExecution: child })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('takes outputs of a node that is not in the workflow only as literals', async () => {
    const id = await external();
    const unknown = { nodeId: 'dyn', outputs: { y: 1 } };
    expect(await nodeEvent(id, 'SUCCEEDED', unknown)).toMatchObject({
      problems: [{ code: 'VariableNameNotFound', path: ['input', 'outputs', 'y'] }],
    });
    const outputLiterals = { y: { scalar: { primitive: { integer: '9007199254740993' } } } };
    expect(await nodeEvent(id, 'SUCCEEDED', { nodeId: 'dyn', outputLiterals })).toMatchObject({
      data: { outputs: { y: '9007199254740993' } },
    });
  });
});

describe('createTaskEvent', () => {
  it('needs the node, and creates an attempt for each number', async () => {
    const id = await external();
    expect(await taskEvent(id, 'RUNNING')).toMatchObject({ code: 'NOT_FOUND' });
    await nodeEvent(id, 'RUNNING');
    const error = { code: 'Oom', message: 'it broke', kind: 'SYSTEM' };
    expect(await taskEvent(id, 'RETRYABLE_FAILED', { error })).toMatchObject({
      retryAttempt: 0,
      error: { code: 'Oom', kind: 'SYSTEM' },
    });
    expect(await taskEvent(id, 'RUNNING', { retryAttempt: 1 })).toMatchObject({
      retryAttempt: 1,
      task: { name: 'double' },
    });
  });

  it('takes news in the same phase only with a higher version', async () => {
    const id = await external();
    await nodeEvent(id, 'RUNNING');
    await taskEvent(id, 'RUNNING', { reason: 'one' });
    const before = await stateOf(id);
    expect(await taskEvent(id, 'RUNNING', { reason: 'two', occurredAt: later })).toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    expect(await stateOf(id)).toEqual(before);
    expect(
      await taskEvent(id, 'RUNNING', { reason: 'two', phaseVersion: 1, reportedAt: later }),
    ).toMatchObject({
      phase: 'RUNNING',
      updatedAt: later,
    });
    await taskEvent(id, 'SUCCEEDED', { outputs: { y: 1 } });
    expect(await taskEvent(id, 'SUCCEEDED', { phaseVersion: 9 })).toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
  });

  it('goes back to QUEUED, as after a pre-emption, and keeps the first start', async () => {
    const id = await external();
    await nodeEvent(id, 'RUNNING');
    await taskEvent(id, 'RUNNING');
    expect(await taskEvent(id, 'QUEUED', { occurredAt: later })).toMatchObject({
      phase: 'QUEUED',
      startedAt: at,
    });
  });

  it('accepts a task that is not registered', async () => {
    const id = await external();
    await nodeEvent(id, 'RUNNING');
    expect(await taskEvent(id, 'RUNNING', { task: keyOf(project, 'made-at-run-time') })).toMatchObject({
      taskKey: { name: 'made-at-run-time' },
      task: null,
    });
  });

  it('keeps the attempts of different tasks apart, also if only a part of their keys differs', async () => {
    const id = await external();
    await nodeEvent(id, 'RUNNING');
    const key = keyOf(project, 'double');
    const keys = [{ project: 'other' }, { domain: 'other' }, { name: 'other' }, { version: 'other' }, {}];
    const attempts = await Promise.all(
      keys.map((part) => taskEvent(id, 'RUNNING', { task: { ...key, ...part } })),
    );
    expect(new Set(attempts.map((attempt) => attempt.id)).size).toBe(keys.length);
    for (const part of keys)
      expect(await taskEvent(id, 'RUNNING', { task: { ...key, ...part } })).toMatchObject({
        code: 'ALREADY_EXISTS',
      });
    const changed = { task: key, phaseVersion: 1, reason: 'changed' };
    expect(await taskEvent(id, 'RUNNING', changed)).toMatchObject({ id: attempts.at(-1).id });
    const { nodeExecutions } = await stateOf(id);
    const reasons = nodeExecutions.nodes[0].taskExecutions.nodes.map(({ reason }: Answer) => reason);
    expect(reasons.sort()).toEqual(['changed', null, null, null, null]);
  });

  it('lets one of eight clients create it', async () => {
    const id = await external();
    await nodeEvent(id, 'RUNNING');
    const answers = await Promise.all(Array.from({ length: 8 }, () => taskEvent(id, 'RUNNING')));
    expect(answers.filter((answer) => answer.phase === 'RUNNING')).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'ALREADY_EXISTS')).toHaveLength(7);
  });

  it.each([
    [{ retryAttempt: -1 }, 'retryAttempt'],
    [{ phaseVersion: -1 }, 'phaseVersion'],
    [{ customInfo: [1] }, 'customInfo'],
  ])('refuses %j', async (more, field) => {
    const id = await external();
    await nodeEvent(id, 'RUNNING');
    expect(await taskEvent(id, 'RUNNING', more)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', field],
    });
  });
});

describe('events about nodes and attempts', () => {
  it('are refused from another engine than that of the execution', async () => {
    const id = await external();
    await workflowEvent(id, 'QUEUED', { producerId: 'east' });
    await nodeEvent(id, 'RUNNING', { producerId: 'east' });
    const refused = { code: 'FAILED_PRECONDITION', message: 'the execution is run by east' };
    expect(await nodeEvent(id, 'SUCCEEDED', { producerId: 'west' })).toMatchObject(refused);
    expect(await taskEvent(id, 'RUNNING', { producerId: 'west' })).toMatchObject(refused);
    expect(await taskEvent(id, 'RUNNING', { producerId: 'east' })).toMatchObject({ phase: 'RUNNING' });
  });
});

describe('the time of an end', () => {
  it('is not before the start, also if the clock of the engine went back', async () => {
    const id = await external();
    await workflowEvent(id, 'RUNNING', { occurredAt: later });
    expect(await workflowEvent(id, 'SUCCEEDED', { occurredAt: at, outputs: { z: 1 } })).toMatchObject({
      duration: 'PT0S',
    });
  });
});

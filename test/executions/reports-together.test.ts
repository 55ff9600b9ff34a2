/** Reports of engines from outside that arrive at the same time, and are applied in few statements. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { countStatements, holdAnswers } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { at, atOnce, ReportsStage, rowsOf } from './reports-stage.ts';

const later = '2026-01-01T00:00:10.000Z';
const project = 'together';
let app: App;
let stage: ReportsStage;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await ReportsStage.open(app, project);
});
afterAll(() => app.stop());

interface Case {
  readonly name: string;
  /** The events of the same node before. */
  readonly before?: readonly object[];
  readonly event: object;
  readonly answer: object;
}

const error = { code: 'Oom', message: 'it broke', kind: 'SYSTEM' };
const running = { phase: 'RUNNING' };
const log = (name: string) => ({ uri: `https://logs/${name}`, name });

/** The name of a case is that of its node. */
const cases: readonly Case[] = [
  { name: 'the first event', event: running, answer: { phase: 'RUNNING', startedAt: at } },
  {
    name: 'the end with outputs',
    before: [running],
    event: { phase: 'SUCCEEDED', occurredAt: later, outputs: { y: 2 } },
    answer: { phase: 'SUCCEEDED', endedAt: later, data: { inputs: {}, outputs: { y: 2 } } },
  },
  {
    name: 'an end before the start',
    before: [{ phase: 'RUNNING', occurredAt: later }],
    event: { phase: 'FAILED', error },
    answer: { phase: 'FAILED', endedAt: later, duration: 'PT0S', error },
  },
  {
    name: 'news in the same phase',
    before: [{ ...running, reason: 'one', logs: [log('first')] }],
    event: { ...running, phaseVersion: 1, reason: 'two', logs: [log('second')], reportedAt: later },
    answer: {
      reason: 'two',
      updatedAt: later,
      logs: [log('second'), log('first')].map(({ uri }) => ({ uri })),
    },
  },
  {
    name: 'news of an attempt that can be tried again',
    before: [{ phase: 'RETRYABLE_FAILED', error }],
    event: { phase: 'RETRYABLE_FAILED', phaseVersion: 1, reason: 'why', occurredAt: later },
    answer: { phase: 'RETRYABLE_FAILED', error, endedAt: at, reason: 'why' },
  },
  {
    name: 'back to the queue',
    before: [running],
    event: { phase: 'QUEUED', occurredAt: later },
    answer: { phase: 'QUEUED', startedAt: at },
  },
  {
    name: 'another attempt',
    before: [{ phase: 'RETRYABLE_FAILED', error }],
    event: { ...running, retryAttempt: 1 },
    answer: { retryAttempt: 1, phase: 'RUNNING', error: null },
  },
  {
    name: 'an attempt that is not the latest',
    before: [running, { ...running, retryAttempt: 1 }],
    event: { phase: 'FAILED', error },
    answer: { retryAttempt: 0, phase: 'FAILED' },
  },
  {
    name: 'the first inputs',
    event: { ...running, inputs: { x: 1 } },
    answer: { data: { inputs: { x: 1 }, outputs: {} } },
  },
  {
    name: 'other inputs',
    before: [{ ...running, inputs: { x: 1 } }],
    event: { ...running, phaseVersion: 1, inputs: { x: 2 } },
    answer: { data: { inputs: { x: 1 }, outputs: {} } },
  },
  {
    name: 'inputs that come late',
    before: [running],
    event: { ...running, phaseVersion: 1, inputs: { x: 2 } },
    answer: { data: { inputs: { x: 2 }, outputs: {} } },
  },
  {
    name: 'outputs before the end',
    before: [running],
    event: { phase: 'INITIALIZING', outputs: { y: 2 } },
    answer: { data: { inputs: {}, outputs: {} } },
  },
  {
    name: 'a task that is not registered',
    event: { ...running, task: { project, domain: 'development', name: 'unknown', version: 'v1' } },
    answer: { taskKey: { name: 'unknown' }, task: null },
  },
  {
    name: 'a repeated event',
    before: [running],
    event: { ...running, reason: 'again' },
    answer: { code: 'ALREADY_EXISTS', message: 'attempt 0 of the node a repeated event is already RUNNING' },
  },
  {
    name: 'an event after the end',
    before: [{ phase: 'FAILED', error }],
    event: running,
    answer: { code: 'FAILED_PRECONDITION', message: expect.stringContaining('has already ended as FAILED') },
  },
  {
    name: 'another engine',
    event: { ...running, producerId: 'west' },
    answer: { code: 'FAILED_PRECONDITION', message: 'the execution is run by no engine yet' },
  },
  {
    name: 'outputs of another type',
    before: [running],
    event: { phase: 'SUCCEEDED', outputs: { y: 'two' } },
    answer: { code: 'INVALID_ARGUMENT', problems: [{ code: 'MismatchingTypes' }] },
  },
];

const nodes = cases.map(({ name }) => name);

/** One execution in which each case has its node, with the events before. */
async function world(): Promise<string> {
  const id = await stage.execution(...nodes);
  for (const { name, before = [] } of cases)
    for (const event of before) expect(await stage.report(id, name, event)).toHaveProperty('phase');
  return id;
}

describe('a report', () => {
  let alone: { answers: Answer[]; rows: Awaited<ReturnType<typeof rowsOf>> };
  let together: typeof alone;

  beforeAll(async () => {
    const [one, other] = [await world(), await world()];
    const answers: Answer[] = [];
    for (const { name, event } of cases) answers.push(await stage.report(one, name, event));
    alone = { answers, rows: await rowsOf(one) };
    const all = await atOnce(stage, () => cases.map(({ name, event }) => stage.report(other, name, event)));
    together = { answers: all, rows: await rowsOf(other) };
  });

  it.each(cases.map(({ name, answer }, index) => ({ name, answer, index })))(
    'about $name has the same answer alone and with others',
    ({ answer, index }) => {
      expect(alone.answers[index]).toMatchObject(answer);
      expect(together.answers[index]).toEqual(alone.answers[index]);
    },
  );

  it.each(['execution', 'nodes', 'attempts'] as const)(
    'leaves the same rows (%s) alone and with others',
    (kind) => {
      expect(together.rows[kind]).toEqual(alone.rows[kind]);
    },
  );

  it.each([
    ['another attempt', { latest_attempt: 1, retry_attempt: 1, latest_task_phase: 'RUNNING' }],
    [
      'an attempt that is not the latest',
      { latest_attempt: 1, retry_attempt: 1, latest_task_phase: 'RUNNING' },
    ],
    ['the end with outputs', { latest_attempt: 0, retry_attempt: 0, latest_task_phase: 'SUCCEEDED' }],
    ['outputs of another type', { latest_attempt: 0, retry_attempt: 0, latest_task_phase: 'RUNNING' }],
  ])('about %s leaves the latest attempt of its node', (name, latest) => {
    for (const { rows } of [alone, together])
      expect(rows.nodes.find(({ node_id }) => node_id === name)).toMatchObject(latest);
  });

  it('has the same event alone and with others, and the numbers of the events have no gap', () => {
    // The first event of an execution has the time of its creation.
    const sorted = ({ rows }: typeof alone) =>
      rows.events
        .slice(1)
        .map(({ sequence, ...event }) => JSON.stringify(event))
        .sort();
    expect(sorted(together)).toEqual(sorted(alone));
    for (const { events, execution } of [alone.rows, together.rows]) {
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      expect(execution).toEqual([{ phase: 'QUEUED', last: events.length }]);
    }
  });
});

const MANY = 60;

it(`${MANY} reports take two statements: one that reads what decides about them, and one that stores them`, async () => {
  const nodes = Array.from({ length: MANY }, (_, index) => `n${index}`);
  const id = await stage.execution(...nodes);
  for (const nodeId of nodes) await stage.report(id, nodeId, { phase: 'QUEUED' });
  const { result, statements } = await countStatements(() =>
    atOnce(stage, () => nodes.map((nodeId) => stage.report(id, nodeId, running))),
  );
  expect(result.map(({ phase }) => phase)).toEqual(nodes.map(() => 'RUNNING'));
  const reads = statements.filter((text) => text.includes('left join task_executions as task on'));
  const stores = statements.filter((text) => text.includes('update task_executions'));
  // What makes them wait are two reports more, of which the first one is judged twice, because its attempt is new.
  expect([reads.length, stores.length]).toEqual([1 + 3, 1 + 2]);
});

describe('reports about other things than attempts of an engine from outside', () => {
  it.each([
    ['an execution that Slipway runs', () => stage.own(), 'a', 'FAILED_PRECONDITION'],
    ['a node that does not exist', () => stage.execution('a'), 'b', 'NOT_FOUND'],
  ])('are refused alone and together with others: %s', async (_, execution, nodeId, code) => {
    const [id, other] = [await execution(), await stage.execution('c')];
    const refused = await stage.report(id, nodeId, running);
    expect(refused).toMatchObject({ code });
    const answers = await atOnce(stage, () => [
      stage.report(id, nodeId, running),
      stage.report(other, 'c', running),
    ]);
    expect(answers).toMatchObject([refused, { phase: 'RUNNING' }]);
  });
});

describe('one report that fails', () => {
  /** Storing this reason fails, as often as it says. */
  async function failing(reason: string, sqlState: string, times: number): Promise<void> {
    await pool.query(
      `create sequence failures;
       create function fail_report() returns trigger language plpgsql as $$ begin
         if new.reason = '${reason}' and nextval('failures') <= ${times} then
           raise exception 'it fails' using errcode = '${sqlState}';
         end if;
         return new;
       end $$;
       create trigger fail_report before update on task_executions for each row execute function fail_report();`,
    );
    onTestFinished(async () => {
      await pool.query(
        'drop trigger fail_report on task_executions; drop function fail_report; drop sequence failures',
      );
    });
  }

  async function threeReports(reason: string): Promise<{ id: string; answers: Answer[] }> {
    const id = await stage.execution('a', 'b', 'c');
    for (const nodeId of ['a', 'b', 'c']) await stage.report(id, nodeId, { phase: 'QUEUED' });
    const answers = await atOnce(stage, () => [
      stage.report(id, 'a', running),
      stage.report(id, 'b', { ...running, reason }),
      stage.report(id, 'c', running),
    ]);
    return { id, answers };
  }

  it('fails alone: the others are applied', async () => {
    await failing('bad', '22012', 1000);
    const { id, answers } = await threeReports('bad');
    expect(answers).toMatchObject([{ phase: 'RUNNING' }, { code: 'INTERNAL' }, { phase: 'RUNNING' }]);
    const { attempts, events, execution } = await rowsOf(id);
    expect(attempts.map(({ task }) => task.phase)).toEqual(['RUNNING', 'QUEUED', 'RUNNING']);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(execution).toMatchObject([{ last: events.length }]);
  });

  it.each([
    ['deadlock', '40P01'],
    ['write conflict', '40001'],
  ])('with a %s does not fail: the group is repeated', async (_, sqlState) => {
    await failing('unlucky', sqlState, 2);
    const { id, answers } = await threeReports('unlucky');
    expect(answers.map(({ phase }) => phase)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
    const moves = (await rowsOf(id)).events.filter(
      ({ phase, kind }) => kind === 'TASK' && phase === 'RUNNING',
    );
    expect(moves.map(({ node_id }) => node_id).sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('a report is judged again if, after it was read,', () => {
  it.each([
    [
      'another server has reported about the attempt',
      `update task_executions set phase_version = 7 where execution_id = $1`,
      { ...running, phaseVersion: 3 },
      { code: 'ALREADY_EXISTS' },
    ],
    [
      'the attempt has ended',
      `update task_executions set phase = 'FAILED', ended_at = now() where execution_id = $1`,
      { ...running, phaseVersion: 3 },
      { code: 'FAILED_PRECONDITION', message: expect.stringContaining('has already ended as FAILED') },
    ],
    [
      'the attempt was created',
      `insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_project, task_domain, task_name,
         task_version, retry_attempt, phase, updated_at)
       select '01900000-0000-7000-8000-000000000001', tenant_id, execution_id, node_execution_id, task_project, task_domain,
         task_name, task_version, 1, 'RUNNING', now() from task_executions where execution_id = $1`,
      { ...running, retryAttempt: 1, outputs: {} },
      { code: 'ALREADY_EXISTS' },
    ],
    [
      'another engine has taken the execution',
      `update executions set cluster = 'east' where id = $1`,
      { phase: 'SUCCEEDED', producerId: 'west' },
      { code: 'FAILED_PRECONDITION', message: 'the execution is run by east' },
    ],
    [
      'something has changed that does not matter',
      `update task_executions set phase = 'INITIALIZING' where execution_id = $1`,
      { phase: 'SUCCEEDED', outputs: { y: 2 } },
      { phase: 'SUCCEEDED', data: { inputs: {}, outputs: { y: 2 } } },
    ],
  ])('%s', async (_, change, event, expected) => {
    const id = await stage.execution('a');
    await stage.workflow(id, 'QUEUED', { producerId: 'west' });
    await stage.report(id, 'a', running);
    const read = holdAnswers(/left join task_executions as task on/);
    const answer = stage.report(id, 'a', event);
    await eventually(
      () => read.held,
      (held) => held === 1,
    );
    await pool.query(change, [id]);
    read.release();
    expect(await answer).toMatchObject(expected);
  });
});

describe('one report', () => {
  it('takes 3 statements: its execution with the grants, what decides about it, and one that stores it', async () => {
    const { id: projectId } = await db.project.findFirstOrThrow({ where: { identifier: project } });
    const caller = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'EDIT' }] });
    const id = await stage.execution('a');
    await stage.report(id, 'a', running, app, caller);
    const document = `mutation ($input: CreateTaskEventInput!) {
      createTaskEvent(input: $input) { ... on CreateTaskEventPayload { taskExecution { phase } } }
    }`;
    const input = {
      execution: { id },
      nodeId: 'a',
      task: stage.taskKey(),
      occurredAt: at,
      phase: 'SUCCEEDED',
    };
    const { result, statements } = await countStatements(() => app.ask(document, { input }, caller));
    expect(result.data).toEqual({ createTaskEvent: { taskExecution: { phase: 'SUCCEEDED' } } });
    expect(statements).toHaveLength(3);
  });
});

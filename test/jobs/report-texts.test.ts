/** Reports of executors with texts that cannot be stored without changes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

let app: App;
let hands: Hands;
beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, 'p');
  await registerTask(app, 'p', 'double');
  await registerWorkflow(app, 'p', 'one', { a: [] });
});
afterAll(() => app.stop());

async function takeRun(): Promise<Run> {
  await launch(app, 'p', 'one');
  return await hands.leaseNode('a');
}
const report = (run: string, event: object) => hands.report({ run, ...event });

describe('a failure', () => {
  it('keeps the part of its message that can be stored', async () => {
    const run = await takeRun();
    const error = { code: 'X\u0000', message: `a\u0000${'a'.repeat(8189)}😀`, kind: 'USER' };
    expect(await report(run.id, { kind: 'FAILED', error })).toEqual(['APPLIED']);
    const kept = await db.jobRun.findUniqueOrThrow({ where: { id: run.id } });
    expect(kept).toMatchObject({ errorCode: 'X\uFFFD', errorMessage: `a\uFFFD${'a'.repeat(8189)}` });
  });
});

describe('outputs', () => {
  it.each([
    ['half a pair', { y: 'a\uD800' }],
    ['a name with NUL', { y: { 'k\u0000': 1 } }],
    ['no names', [1]],
  ])('are refused when they cannot be stored: %s', async (_name, outputs) => {
    const body = JSON.stringify(outputs);
    const answer = await report(newId(), { kind: 'SUCCEEDED', outputs: JSON.parse(body) });
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'events', '0', 'outputs'] });
  });
});

describe('a clock', () => {
  it.each(['1969-12-31T23:59:59Z', '0001-01-01T00:00:00Z'])(
    'is refused when it says %s',
    async (occurredAt) => {
      const answer = await report(newId(), { kind: 'RUNNING', occurredAt });
      expect(answer).toMatchObject({
        code: 'INVALID_ARGUMENT',
        path: ['input', 'events', '0', 'occurredAt'],
      });
    },
  );
});

describe('ids in capitals', () => {
  it('do not name a run, neither in a report nor in a lease', async () => {
    const run = await takeRun();
    const upper = run.id.toUpperCase();
    const answer = await report(upper, { kind: 'RUNNING' });
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'events', '0', 'run'] });
    const { data } = await app.ask(
      `mutation ($input: LeaseJobsInput!) { leaseJobs(input: $input) { ... on Error { code path } } }`,
      { input: { executor: hands.name, knownRuns: [upper], maxJobs: 0 } },
      app.executor,
    );
    expect(data.leaseJobs).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { errors } = await app.ask('query ($id: ID!) { jobRun(by: { id: $id }) { id } }', { id: upper });
    expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await report(run.id, { kind: 'RUNNING' })).toEqual(['APPLIED']);
  });
});

describe('the cause of an abort', () => {
  it('is refused when it cannot be stored', async () => {
    const id = await launch(app, 'p', 'one');
    const { errors } = await app.ask(
      'mutation ($id: ID!, $c: String!) { terminateExecution(input: {by: {id: $id}, cause: $c}) { __typename } }',
      { id, c: 'x\u0000' },
    );
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_ARGUMENT', path: ['input', 'cause'] } });
  });
});

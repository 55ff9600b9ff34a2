/** The log of a program while it runs, through the executor, for everybody who watches. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { startExecutor, type TestExecutor } from '../support/executor.ts';
import { make, mutate } from '../support/mutate.ts';
import { eventually } from '../support/seed.ts';
import { overSse } from '../support/watch.ts';

let app: LocalApp;
let executor: TestExecutor;
const folder = mkdtempSync(join(tmpdir(), 'slipway-live-'));
beforeAll(async () => {
  app = await startApp();
  executor = await startExecutor(app);
  await make(app, 'createQueue', { name: 'live' }, 'queue');
});
afterAll(async () => {
  await executor.stop();
  await app.stop();
  rmSync(folder, { recursive: true });
});

const lookAt = async (id: string): Promise<Answer> =>
  (await app.ask('query ($id: ID!) { job(by: { id: $id }) { state latestRun { id log { text } } } }', { id }))
    .data.job;

/** Submits a program, and waits until it has a run. */
async function start(program: string): Promise<{ jobId: string; runId: string }> {
  const container = { image: 'x', command: ['node', '-e', program] };
  const input = { queue: 'live', jobSet: 'set', jobs: [{ container }] };
  const { results } = await mutate(app, 'submitJobs', input, 'results { job { id } }');
  const jobId = results[0].job.id;
  const job = await eventually(
    () => lookAt(jobId),
    ({ latestRun }: Answer) => latestRun !== null,
  );
  return { jobId, runId: job.latestRun.id };
}

const subscription =
  'subscription ($run: ID!, $after: Int) { runLog(run: $run, after: $after) { sequence text } }';

it('is sent while the program runs, and ends with it', async () => {
  const gate = join(folder, 'gate');
  const { jobId, runId } = await start(`
    console.log('before');
    const look = setInterval(() => {
      if (!require('node:fs').existsSync(${JSON.stringify(gate)})) return;
      clearInterval(look);
      console.log('after');
    }, 20);
  `);
  const events = overSse(app, subscription, { run: runId });
  expect((await events.next()).value.data.runLog).toEqual({ sequence: 0, text: 'before\n' });
  expect((await lookAt(jobId)).state).toBe('RUNNING');
  writeFileSync(gate, '');
  expect((await events.next()).value.data.runLog).toEqual({ sequence: 1, text: 'after\n' });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  const { state, latestRun } = await lookAt(jobId);
  expect(state).toBe('SUCCEEDED');
  expect(latestRun.log.map(({ text }: Answer) => text)).toEqual(['before\n', 'after\n']);
});

it('ends with the run of a program that prints nothing', async () => {
  const { jobId, runId } = await start('');
  const events = overSse(app, subscription, { run: runId });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect((await lookAt(jobId)).state).toBe('SUCCEEDED');
});

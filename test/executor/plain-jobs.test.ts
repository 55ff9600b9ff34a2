/** Jobs that belong to no execution, from submission to their end, on a real executor. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { startExecutor, type TestExecutor } from '../support/executor.ts';
import { make, mutate } from '../support/mutate.ts';
import { eventually } from '../support/seed.ts';

let app: LocalApp;
let executor: TestExecutor;
beforeAll(async () => {
  app = await startApp();
  executor = await startExecutor(app);
  await make(app, 'createQueue', { name: 'q' }, 'queue');
});
afterAll(async () => {
  await executor.stop();
  await app.stop();
});

async function run(program: string): Promise<Answer> {
  const container = { image: 'x', command: ['node', '-e', program] };
  const input = { queue: 'q', jobSet: 'set', jobs: [{ container }] };
  const { results } = await mutate(app, 'submitJobs', input, 'results { job { id } }');
  const read = async () => {
    const document = `query ($id: ID!) { job(by: { id: $id }) {
      id state endedAt error { code kind } latestRun { exitCode log { text } } } }`;
    return (await app.ask(document, { id: results[0].job.id })).data.job;
  };
  return await eventually(read, ({ endedAt }: Answer) => endedAt !== null);
}

describe('a plain job', () => {
  it('runs with the variables of its job, under our names and under those of Armada', async () => {
    const names = [
      'SLIPWAY_JOB_ID',
      'SLIPWAY_QUEUE',
      'SLIPWAY_JOB_SET',
      'ARMADA_JOB_ID',
      'ARMADA_JOB_SET_ID',
    ];
    const job = await run(`console.log(${JSON.stringify(names)}.map((name) => process.env[name]).join(' '))`);
    expect(job).toMatchObject({ state: 'SUCCEEDED', error: null, latestRun: { exitCode: 0 } });
    const text = job.latestRun.log.map((chunk: Answer) => chunk.text).join('');
    expect(text.trim()).toBe(`${job.id} q set ${job.id} set`);
  });

  it('fails with the error of its run', async () => {
    expect(await run('process.exit(3)')).toMatchObject({
      state: 'FAILED',
      error: { code: 'NonZeroExit', kind: 'USER' },
      latestRun: { exitCode: 3 },
    });
  });
});

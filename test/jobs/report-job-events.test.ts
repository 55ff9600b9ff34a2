/** What executors report about their runs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { jobOf, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

async function begin(name: string) {
  const { hands, runs, ownerId } = await stage.lease(name);
  const [run] = runs as [Run];
  const report = (kind: string, more: object = {}) => hands.report({ run: run.id, kind, ...more });
  return { hands, run, report, ownerId };
}

/** The kinds of the events of a job set, whose numbers have no gap. */
async function eventsOf(ownerId: string): Promise<string[]> {
  const { rows } = await pool.query(
    `select event.sequence, event.kind from job_events as event join job_sets as set on set.id = event.job_set_id
      where set.owner_id = $1 order by event.sequence`,
    [ownerId],
  );
  expect(rows.map((row) => Number(row.sequence))).toEqual(rows.map((_, index) => index + 1));
  return rows.map((row) => row.kind);
}

describe('reportJobEvents', () => {
  it('acknowledges a repeated event and changes nothing', async () => {
    const { hands, run, ownerId } = await begin('repeat');
    const events = [
      { run: run.id, kind: 'RUNNING' },
      { run: run.id, kind: 'RUNNING' },
      { run: run.id, kind: 'SUCCEEDED', outputs: {} },
      { run: run.id, kind: 'SUCCEEDED', outputs: {} },
    ];
    expect(await hands.report(...events)).toEqual(['APPLIED', 'REPEATED', 'APPLIED', 'REPEATED']);
    expect(await eventsOf(ownerId)).toEqual(['SUBMITTED', 'QUEUED', 'LEASED', 'RUNNING', 'SUCCEEDED']);
  });

  it('does not change a job that has ended', async () => {
    const { hands, run } = await begin('late');
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = $1`, [run.jobId]);
    await hands.succeed(run, {});
    expect(await jobOf(run)).toMatchObject({ state: 'CANCELLED' });
  });

  it('answers REPEATED for a state that the run has passed, and FENCED for another end', async () => {
    const { report } = await begin('passed');
    expect(await report('RUNNING')).toEqual(['APPLIED']);
    expect(await report('PENDING')).toEqual(['REPEATED']);
    expect(await report('SUCCEEDED', { outputs: {} })).toEqual(['APPLIED']);
    expect([await report('PENDING'), await report('RUNNING')]).toEqual([['REPEATED'], ['REPEATED']]);
    const error = { code: 'Late', message: 'it broke after all', kind: 'USER' };
    expect(await report('FAILED', { error })).toEqual(['FENCED']);
  });

  it('counts one end when many calls report one at the same time', async () => {
    const { report, ownerId } = await begin('ends');
    const error = { code: 'X', message: 'x', kind: 'USER' };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        index % 2 ? report('SUCCEEDED', { outputs: {} }) : report('FAILED', { error }),
      ),
    );
    expect(answers.flat().filter((outcome) => outcome === 'APPLIED')).toHaveLength(1);
    expect(await eventsOf(ownerId)).toHaveLength(4);
  });

  it('answers FENCED for an unknown run, and an error that names outputs that are too large', async () => {
    const one = new Hands(app, 'reporter');
    expect(await one.report({ run: newId(), kind: 'RUNNING' })).toEqual(['FENCED']);
    const large = await one.report({
      run: newId(),
      kind: 'SUCCEEDED',
      outputs: { y: 'x'.repeat(2_200_000) },
    });
    expect(large).toMatchObject({ code: 'RESOURCE_EXHAUSTED', path: ['input', 'events', '0', 'outputs'] });
    const zero = await one.report({ run: newId(), kind: 'SUCCEEDED', outputs: { y: 'a\u0000b' } });
    expect(zero).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'events', '0', 'outputs'] });
  });
});

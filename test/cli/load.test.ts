/** `slipway load` on a small server, and what it leaves behind. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../src/cli/client.ts';
import { load } from '../../src/cli/commands/load.ts';
import { drainLoad } from '../../src/cli/load/drain-load.ts';
import { Latencies, measureOf } from '../../src/cli/load/latencies.ts';
import { LoadExecutor } from '../../src/cli/load/load-executor.ts';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { databaseUrl, pool } from '../../src/platform/database/client.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { slipway } from './command-line.ts';

let app: LocalApp;
let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  app = await startApp();
  folder = mkdtempSync(join(tmpdir(), 'slipway-load-'));
  const file = join(folder, 'executor-credential.json');
  writeFileSync(file, JSON.stringify(app.secrets.executor));
  environment = {
    SLIPWAY_URL: app.url,
    SLIPWAY_TOKEN: app.admin.replace('Bearer ', ''),
    SLIPWAY_CREDENTIAL_FILE: file,
    DATABASE_URL: controlPlaneConfig.databaseUrl ?? '',
  };
});
afterAll(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

const small = ['--jobs', '60', '--queues', '3', '--executors', '2', '--slots', '10', '--batch', '7'];
const queues = async () =>
  (
    await pool.query(
      `select name, priority_factor as factor from queues where name like 'load-%' and deleted_at is null order by name`,
    )
  ).rows;

describe('slipway load', () => {
  it('submits, leases and finishes all jobs, compares, and deletes what it has made', async () => {
    const { code, out, err } = await slipway(['load', ...small, '--compare', '-o', 'json'], environment);
    expect({ code, err }).toMatchObject({ code: 0 });
    const measures = JSON.parse(out) as { step: string; jobs: number; perSecond: number; p99: number }[];
    expect(measures.map(({ step, jobs }) => [step, jobs])).toEqual([
      ['submit', 60],
      ['lease', 60],
      ['finish', 60],
      ['bare SQL', 60],
    ]);
    for (const { perSecond, p99 } of measures) {
      expect(perSecond).toBeGreaterThan(0);
      expect(p99).toBeGreaterThan(0);
    }
    expect(err).toMatch(/^submitted 60\/60 · \d+\/s$/m);
    expect(err).toMatch(/^finished 60\/60 · \d+\/s$/m);
    expect(err).toMatch(/of the rate of the bare loop/);
    expect(await queues()).toEqual([]);
    const { rows } = await pool.query(`select 1 from pg_namespace where nspname like 'slipway_load%'`);
    expect(rows).toEqual([]);
  });

  it('gives the queues their weights, and leaves them with their jobs if it should', async () => {
    const { code, out } = await slipway(['load', ...small, '--weights', '1,4', '--keep'], environment);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split('\t')[0])).toEqual(['submit', 'lease', 'finish', '']);
    expect((await queues()).map(({ factor }) => factor)).toEqual([4, 1, 4]);
    const { rows } = await pool.query(
      `select queue.name, job.state, count(*)::int from jobs as job join queues as queue on queue.id = job.queue_id
        where queue.name like 'load-%' and queue.deleted_at is null group by 1, 2 order by 1`,
    );
    expect(rows.map(({ state, count }) => [state, count])).toEqual(Array(3).fill(['SUCCEEDED', 20]));
    for (const { name } of await queues())
      await app.ask('mutation ($by: QueueByInput!) { deleteQueue(input: { by: $by }) { __typename } }', {
        by: { name },
      });
  });

  it('deletes what it has made when it is interrupted, also jobs that are being run', async () => {
    const stop = new AbortController();
    const asks = {
      user: createClient({ url: app.url, authorization: app.admin, timeoutSeconds: 30 }),
      executor: createClient({ url: app.url, authorization: app.executor, timeoutSeconds: 30 }),
    };
    const options = {
      ...{ jobs: 200, weights: [1, 1], executors: 2, slots: 10, batch: 50, submitters: 2 },
      ...{ keep: false, compareWith: null },
    };
    const steps: string[] = [];
    const result = await load(asks, 'stopped', options, {
      signal: stop.signal,
      onStep(name) {
        steps.push(name);
        return () => name === 'finished' && stop.abort();
      },
    });
    expect(steps).toEqual(['submitted', 'finished']);
    expect(result.leftovers).toEqual([]);
    expect(result.measures.find(({ step }) => step === 'finish')?.jobs).toBeLessThan(200);
    expect(await queues()).toEqual([]);
    const { rows } = await pool.query('select instance_id, slots from executors where name = $1', ['load-1']);
    expect(rows).toEqual([{ instance_id: null, slots: 0 }]);
  });

  it('says so if nothing moves', async () => {
    const ask = createClient({ url: app.url, authorization: app.executor, timeoutSeconds: 30 });
    const options = { name: 'load-idle', pool: 'load-idle', slots: 1, instance: null };
    const draining = drainLoad({
      jobs: 1,
      executors: [new LoadExecutor(ask, options)],
      signal: new AbortController().signal,
      patienceMs: 1,
      onFinished: () => {},
    });
    await expect(draining).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it.each([
    [['--jobs', '0'], '--jobs 0 is not a whole number from 1 to 1000000'],
    [['--jobs', 'many'], '--jobs many'],
    [['--queues', '1001'], '--queues 1001'],
    [['--weights', '1,,2', '--queues', '3'], '--weights '],
    [['--weights', '1,2', '--queues', '1'], '--weights has 2 weights for 1 queues'],
    [['--executors', '201'], '--executors 201'],
    [['--slots', '101'], '--slots 101'],
    [['--batch', '1001'], '--batch 1001'],
    [['--submitters', '65'], '--submitters 65'],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await slipway(['load', ...words], environment);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('needs a database to compare with, and the credential of an executor', async () => {
    const { DATABASE_URL: _none, ...others } = environment;
    expect(await slipway(['load', '--compare'], others)).toMatchObject({ code: 2 });
    const missing = { ...environment, SLIPWAY_CREDENTIAL_FILE: '/nowhere' };
    const { code, err } = await slipway(['load'], missing);
    expect(code).toBe(4);
    expect(err).toContain('/nowhere is not the credential of an executor');
  });

  it.each([
    ['does not answer', 'postgresql://nobody:x@127.0.0.1:1/nothing', /ECONNREFUSED/],
    [
      'is another one',
      databaseUrl.replace(/\/[^/?]*(\?.*)?$/, '/postgres'),
      /it is not the database of a server/,
    ],
  ])('submits nothing if the database to compare with %s', async (_what, url, problem) => {
    const compared = { ...environment, DATABASE_URL: url };
    const { code, err } = await slipway(['load', ...small, '--compare'], compared);
    expect(code).not.toBe(0);
    expect(err).toMatch(problem);
    expect(err).not.toMatch(/submitted/);
    expect(await queues()).toEqual([]);
  });

  it('ends with the refusal of the server, and leaves nothing', async () => {
    const stranger = { ...environment, SLIPWAY_TOKEN: 'x' };
    expect((await slipway(['load', ...small], stranger)).code).toBe(4);
    // The executor's own account may not create queues.
    const { accessKey, secretKey } = app.secrets.executor;
    const { SLIPWAY_TOKEN: _none, ...others } = environment;
    const asExecutor = { ...others, SLIPWAY_ACCESS_KEY: accessKey, SLIPWAY_SECRET_KEY: secretKey };
    expect((await slipway(['load', ...small], asExecutor)).code).toBe(5);
    expect(await queues()).toEqual([]);
  });
});

describe('latencies', () => {
  it('are summed up by the nearest rank, and calls that did nothing do not count', async () => {
    const latencies = new Latencies();
    expect(measureOf('none', latencies)).toMatchObject({ jobs: 0, perSecond: 0, p99: 0 });
    await latencies.measure(
      async () => 'nothing',
      () => 0,
    );
    expect(latencies.items).toBe(0);
    for (const items of [3, 4])
      await latencies.measure(
        async () => items,
        (count) => count,
      );
    expect(latencies.items).toBe(7);
    expect(latencies.quantile(0.5)).toBeLessThanOrEqual(latencies.quantile(1));
  });
});

import pg from 'pg';
import { CliError } from '../cli-error.ts';
import { Latencies } from './latencies.ts';
import type { LoadOptions } from './load-options.ts';
import { allOrFirstError } from './submit-load.ts';

type Sizes = Pick<LoadOptions, 'jobs' | 'weights' | 'executors' | 'slots'>;

/**
 * The least that a queue in this database costs: each executor takes jobs from the front, reads them, and finishes them,
 * each in a transaction of its own, without an API, without shares and without events. It works on tables of its own,
 * which it drops at the end.
 *
 * @throws CliError UNAVAILABLE if the database does not answer.
 */
export async function bareLoop(url: string, schema: string, sizes: Sizes): Promise<Latencies> {
  const pool = new pg.Pool({ connectionString: url, max: sizes.executors, idleTimeoutMillis: 0 });
  try {
    await createTables(pool, schema, sizes);
    try {
      return await drain(pool, schema, sizes);
    } finally {
      await pool.query(`drop schema ${schema} cascade`);
    }
  } catch (cause) {
    throw new CliError('UNAVAILABLE', 'the database of --compare does not work', {
      cause,
      problems: [cause instanceof Error ? cause.message : String(cause)],
    });
  } finally {
    await pool.end();
  }
}

async function createTables(pool: pg.Pool, schema: string, { jobs, weights }: Sizes): Promise<void> {
  await pool.query(`create schema ${schema}`);
  await pool.query(
    `create table ${schema}.jobs (id bigint primary key, queue int not null, priority int not null, state text not null)
       with (fillfactor = 70)`,
  );
  await pool.query(
    `create table ${schema}.runs (job_id bigint primary key, executor int not null, acknowledged_at timestamptz)
       with (fillfactor = 70)`,
  );
  await pool.query(
    `insert into ${schema}.jobs select number, number % $2, 0, 'QUEUED' from generate_series(1, $1::int) as number`,
    [jobs, weights.length],
  );
  await pool.query(`create index on ${schema}.jobs (queue, priority, id) where state = 'QUEUED'`);
  await pool.query(`create index on ${schema}.runs (executor) where acknowledged_at is null`);
  await pool.query(`analyze ${schema}.jobs`);
}

async function drain(pool: pg.Pool, schema: string, sizes: Sizes): Promise<Latencies> {
  const latencies = new Latencies();
  const assign = `with head as materialized (
       select id from ${schema}.jobs where state = 'QUEUED' and queue = $2
        order by queue, priority, id limit $3 for update skip locked),
     leased as (
       update ${schema}.jobs as job set state = 'LEASED' from head where job.id = head.id returning job.id)
     insert into ${schema}.runs (job_id, executor) select id, $1 from leased`;
  const deliver = `update ${schema}.runs set acknowledged_at = now()
     where executor = $1 and acknowledged_at is null returning job_id`;
  const finish = `update ${schema}.jobs set state = 'SUCCEEDED' where id = any($1::bigint[])`;
  async function work(executor: number): Promise<void> {
    const queues = sizes.weights.length;
    for (let empty = 0, turn = executor; empty < queues; turn += 1) {
      const taken = await latencies.measure(
        async () => {
          await pool.query({ name: 'assign', text: assign, values: [executor, turn % queues, sizes.slots] });
          const { rows } = await pool.query({ name: 'deliver', text: deliver, values: [executor] });
          const ids = rows.map((row: { job_id: string }) => row.job_id);
          if (ids.length > 0) await pool.query({ name: 'finish', text: finish, values: [ids] });
          return ids.length;
        },
        (count) => count,
      );
      empty = taken === 0 ? empty + 1 : 0;
    }
  }
  await allOrFirstError(Array.from({ length: sizes.executors }, (_, at) => work(at)));
  return latencies;
}

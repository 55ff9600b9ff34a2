import pg from 'pg';
import { CliError } from '../cli-error.ts';
import { Latencies } from './latencies.ts';
import type { LoadOptions } from './load-options.ts';
import { allOrFirstError } from './submit-load.ts';

type Sizes = Pick<LoadOptions, 'jobs' | 'weights' | 'executors' | 'slots'>;

const ready = `select has_database_privilege(current_database(), 'CREATE') as "mayCreate",
   to_regclass('jobs') is not null and to_regclass('job_runs') is not null as "isOurs"`;

/**
 * Checks before a load that its bare loop will work in this database.
 *
 * @throws CliError UNAVAILABLE if the database does not answer, is not the database of a server, or lets this user create
 *   no schema.
 */
export async function requireBareLoop(url: string): Promise<void> {
  await withPool(url, 1, async (pool) => {
    const { rows } = await pool.query<{ mayCreate: boolean; isOurs: boolean }>(ready);
    if (!rows[0]?.isOurs) throw new Error('it is not the database of a server');
    if (!rows[0].mayCreate) throw new Error('its user may not create a schema');
  });
}

/**
 * The least that such a queue costs in this database: each executor takes jobs from the front, reads them, and finishes
 * them, each in a transaction of its own, without an API, without shares, events and fences. It works on copies of the
 * tables of jobs and runs, with their indexes, which it drops at the end.
 *
 * @throws CliError UNAVAILABLE if the database does not answer.
 */
export const bareLoop = (url: string, schema: string, sizes: Sizes): Promise<Latencies> =>
  withPool(url, sizes.executors, async (pool) => {
    await createTables(pool, schema, sizes);
    try {
      return await drain(pool, schema, sizes);
    } finally {
      await pool.query(`drop schema ${schema} cascade`);
    }
  });

async function withPool<T>(url: string, max: number, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max, idleTimeoutMillis: 0 });
  try {
    return await work(pool);
  } catch (cause) {
    throw new CliError('UNAVAILABLE', 'the database of --compare does not work', {
      cause,
      problems: [cause instanceof Error ? cause.message : String(cause)],
    });
  } finally {
    await pool.end();
  }
}

/** The id that ends with this number. */
const idOf = (number: string) => `('00000000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;

async function createTables(pool: pg.Pool, schema: string, { jobs, weights }: Sizes): Promise<void> {
  await pool.query(`create schema ${schema}`);
  for (const table of ['jobs', 'job_runs']) {
    await pool.query(`create table ${schema}.${table} (like ${table} including all)`);
    await pool.query(`alter table ${schema}.${table} set (fillfactor = 70)`);
  }
  await pool.query(
    `insert into ${schema}.jobs (id, tenant_id, queue_id, job_set_id, owner_id, spec, resources)
     select ${idOf('number')}, ${idOf('0')}, ${idOf('number % $2::int')}, ${idOf('number % $2::int')},
            ${idOf('0')}, '{}', '{}'
       from generate_series(1, $1::int) as number`,
    [jobs, weights.length],
  );
  await pool.query(`analyze ${schema}.jobs`);
}

async function drain(pool: pg.Pool, schema: string, sizes: Sizes): Promise<Latencies> {
  const latencies = new Latencies();
  const assign = `with head as materialized (
       select id from ${schema}.jobs
        where tenant_id = ${idOf('0')} and pool = 'default' and queue_id = ${idOf('$2::int')} and shape = ''
          and state = 'QUEUED' and gang_id is null
        order by priority, submitted_at, id limit $3 for update skip locked),
     leased as (
       update ${schema}.jobs as job set state = 'LEASED' from head where job.id = head.id
       returning job.id, job.tenant_id, job.job_set_id, job.queue_id, job.shape)
     insert into ${schema}.job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, lease_expires_at)
     select gen_random_uuid(), tenant_id, id, job_set_id, queue_id, shape, ${idOf('$1::int')}, now() + interval '30 seconds' from leased`;
  const deliver = `with taken as (
       update ${schema}.job_runs set acknowledged_at = now()
        where executor_id = ${idOf('$1::int')} and ended_at is null and acknowledged_at is null returning id, job_id)
     select taken.id, job.spec from taken join ${schema}.jobs as job on job.id = taken.job_id`;
  const finish = `with ended as (
       update ${schema}.job_runs set state = 'SUCCEEDED', ended_at = now(), exit_code = 0
        where id = any($1::uuid[]) returning job_id)
     update ${schema}.jobs as job set state = 'SUCCEEDED', ended_at = now() from ended where job.id = ended.job_id`;
  async function work(executor: number): Promise<void> {
    const queues = sizes.weights.length;
    for (let empty = 0, turn = executor; empty < queues; turn += 1) {
      const taken = await latencies.measure(
        async () => {
          await pool.query({ name: 'assign', text: assign, values: [executor, turn % queues, sizes.slots] });
          const { rows } = await pool.query({ name: 'deliver', text: deliver, values: [executor] });
          const ids = rows.map((row: { id: string }) => row.id);
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

/**
 * How long a call of `leaseJobs` takes until it has jobs, with 10,000 and with 1,000,000 queued jobs. It runs a server and
 * a scheduler on a database of its own, which it removes at the end. The goal is that p99 with 1,000,000 jobs is at most
 * twice that with 10,000. It also prints which statements took most of the time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createClient } from '../../src/cli/client.ts';
import { Latencies, measureOf } from '../../src/cli/load/latencies.ts';
import { LoadExecutor } from '../../src/cli/load/load-executor.ts';
import { startEmbeddedPostgres } from '../../src/platform/database/embedded.ts';

const QUEUES = 50;
const EXECUTORS = 4;
const SLOTS = 10;
/** Leases that are not counted, because V8 and the database have to warm up. */
const WARM_UP = 50;
const LEASES = 300;
const POOL = 'bench';

const DEPTHS = [10_000, 1_000_000];
const LEAST = 2 * SLOTS * (WARM_UP + LEASES);

/** How long each statement took, by the beginning of its text. */
const statements = new Map<string, { calls: number; ms: number; most: number }>();

/**
 * Measures the leases with so many queued jobs, in this order.
 *
 * @throws Error if there are too few jobs to measure with.
 */
export async function measureLeases(given: readonly number[]): Promise<void> {
  const depths = given.length > 0 ? given : DEPTHS;
  if (depths.some((depth) => !(depth >= LEAST))) throw new Error(`the least depth is ${LEAST}`);
  timeStatements();
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const database = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), isDurable: true });
  try {
    Object.assign(process.env, {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      SLIPWAY_SECRETS: 'a-secret-of-the-benchmark-that-is-long-enough',
      LOG_LEVEL: 'error',
      METRICS_PORT: 'off',
    });
    // These read the configuration when they are imported.
    const { applyMigrations } = await import('../../src/platform/database/migrations.ts');
    await applyMigrations(database.url);
    const { startApp } = await import('../../test/support/app.ts');
    const app = await startApp();
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      const executors = Array.from({ length: EXECUTORS }, (_, at) => {
        const ask = createClient({ url: app.url, authorization: app.executor, timeoutSeconds: 60 });
        return new LoadExecutor(ask, { name: `bench-${at}`, pool: POOL, slots: SLOTS, instance: null });
      });
      for (let at = 0; at < QUEUES; at += 1) {
        const answer = await app.ask(
          `mutation ($queue: String!) {
           createQueue(input: { name: $queue }) { __typename }
           submitJobs(input: { queue: $queue, jobSet: "bench", jobs: [{ pool: "${POOL}", container: { image: "none" } }] }) {
             __typename
           }
         }`,
          { queue: `bench-${at}` },
        );
        if (answer.data?.submitJobs?.__typename !== 'SubmitJobsPayload')
          throw new Error(JSON.stringify(answer));
      }
      const p99s: number[] = [];
      for (const depth of depths) {
        await fill(client, depth);
        await measure(executors, WARM_UP);
        statements.clear();
        const latencies = await measure(executors, LEASES);
        const { p50, p95, p99, perSecond } = measureOf('lease', latencies);
        p99s.push(p99 ?? 0);
        print(`${depth} queued jobs: lease p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms; ${perSecond} jobs/s`);
        printStatements();
      }
      const [first = 0, last = 0] = [p99s[0], p99s.at(-1)];
      print(`p99 with ${depths.at(-1)} jobs is ${(last / first).toFixed(2)} times that with ${depths[0]}`);
    } finally {
      await client.end();
      await app.stop();
    }
  } finally {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies the jobs that were submitted until so many are queued. */
async function fill(client: pg.Client, depth: number): Promise<void> {
  const columns = await client.query(
    `select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns
      where table_name = 'jobs' and table_schema = 'public'
        and column_name not in ('id', 'state', 'submitted_at', 'ended_at', 'attempted_runs')`,
  );
  const { names } = columns.rows[0] as { names: string };
  const queued = await client.query(`select count(*)::int as count from jobs where state = 'QUEUED'`);
  const missing = depth - (queued.rows[0]?.count as number);
  await client.query(
    `insert into jobs (id, state, submitted_at, attempted_runs, ${names})
     select uuidv7(), 'QUEUED', now() + number * interval '1 microsecond', 0, ${names}
       from (select distinct on (queue_id) * from jobs order by queue_id, id) as model
       cross join generate_series(1, $1::int) as number`,
    [Math.ceil(missing / QUEUES)],
  );
  await client.query('vacuum analyze jobs');
  await client.query('checkpoint');
}

/** So many calls that brought jobs, over all executors. Each finishes its jobs before it asks for more. */
async function measure(executors: readonly LoadExecutor[], leases: number): Promise<Latencies> {
  const latencies = new Latencies();
  let left = leases;
  await Promise.all(
    executors.map(async (executor) => {
      while (left > 0) {
        const runs = await latencies.measure(
          () => executor.lease(5),
          ({ length }) => length,
        );
        if (runs.length === 0) continue;
        left -= 1;
        await executor.finish(runs);
      }
    }),
  );
  return latencies;
}

function timeStatements(): void {
  const { query } = pg.Client.prototype;
  // The many forms of `query` have no common type.
  const timed = async function (this: pg.Client, ...args: unknown[]): Promise<unknown> {
    const began = performance.now();
    const answer = await (query as (...all: unknown[]) => unknown).apply(this, args);
    const [first] = args as [string | { readonly text?: string }];
    const text = (typeof first === 'string' ? first : (first.text ?? '')).replace(/\s+/g, ' ').slice(0, 90);
    const ms = performance.now() - began;
    const known = statements.get(text) ?? { calls: 0, ms: 0, most: 0 };
    statements.set(text, {
      calls: known.calls + 1,
      ms: known.ms + ms,
      most: Math.max(known.most, ms),
    });
    return answer;
  };
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, ...args: unknown[]) {
      // With a callback, pg answers nothing that could be awaited.
      if (typeof args.at(-1) === 'function' || typeof (args[0] as { submit?: unknown }).submit === 'function')
        return (query as (...all: unknown[]) => unknown).apply(this, args);
      return timed.apply(this, args);
    },
  });
}

function printStatements(): void {
  const slowest = [...statements].sort(([, one], [, other]) => other.ms - one.ms).slice(0, 10);
  for (const [text, { calls, ms, most }] of slowest)
    print(`  ${Math.round(ms)} ms in ${calls} calls, at most ${most.toFixed(1)} ms: ${text}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

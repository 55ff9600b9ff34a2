import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../../src/cli/client.ts';
import { bareLoop } from '../../src/cli/load/bare-loop.ts';
import { Latencies } from '../../src/cli/load/latencies.ts';
import { LoadExecutor } from '../../src/cli/load/load-executor.ts';
import { type Child, startChild } from './child.ts';
import { cpuOf, cpuOfFamily, cpuOfMachine, forgetPeak, peakMemoryOf } from './cpu.ts';
import { fillJobs } from './fill.ts';
import { type Ground, tidy } from './ground.ts';
import type { Window } from './load-order.ts';
import type { Options } from './options.ts';
import { basic, type Server, slipwayEnvironment } from './servers.ts';
import { type Row, rowOf } from './summary.ts';

/**
 * Executors that run nothing lease jobs in batches of 100 and report that they have succeeded, through Slipway's API with
 * a scheduler; and for comparison, a loop that does the same in SQL on copies of the tables, without an API, shares,
 * events and fences. All numbers are those of one job.
 */

const QUEUES = 20;
const EXECUTORS = 4;
const BATCH = 100;
const POOL = 'bench';
const WAIT_SECONDS = 5;
/** The loop drains so many jobs for each window. */
const LOOP_JOBS = 20_000;

export async function measureJobs(
  ground: Ground,
  slipway: Server,
  options: Options,
  jobs: number,
): Promise<Row[]> {
  const origin = new URL(slipway.url).origin;
  await submitOneEach(origin, ground.secretsOfFirstStart.administrator);
  await fillJobs(ground.world.client, jobs);
  await tidy(ground.world.client);
  const scheduler = startChild('dist/bin/scheduler.js', slipwayEnvironment(ground));
  const windows: Window[] = [];
  try {
    const { accessKey, secretKey } = ground.secretsOfFirstStart.executor;
    const ask = createClient({ url: origin, authorization: basic(accessKey, secretKey), timeoutSeconds: 60 });
    const executors = Array.from(
      { length: EXECUTORS },
      (_, at) => new LoadExecutor(ask, { name: `bench-${at}`, pool: POOL, slots: BATCH, instance: null }),
    );
    const turn = (seconds: number) => windowOf(ground, slipway, scheduler, executors, seconds);
    await turn(options.warmUpSeconds);
    for (let at = 0; at < options.windows; at += 1) windows.push(await turn(options.windowSeconds));
    await Promise.all(executors.map((executor) => executor.signOff()));
  } finally {
    await scheduler.stop();
  }
  const nothing = { statements: [], bytes: 0 };
  const rows = [rowOf('jobs', 'slipway', nothing, windows)];
  const loops: Window[] = [];
  // The first turn is the warm-up.
  for (let at = 0; at <= options.windows; at += 1) {
    const window = await loopOnce(ground.databaseUrl, `bench_loop_${at}`);
    if (at > 0) loops.push(window);
  }
  return [...rows, rowOf('jobs', 'loop', nothing, loops)];
}

/** @throws Error if a queue does not take its first job, of which all others are copies. */
async function submitOneEach(origin: string, user: { readonly username: string; readonly password: string }) {
  for (let at = 0; at < QUEUES; at += 1) {
    const query = `mutation ($queue: String!) {
      createQueue(input: { name: $queue }) { __typename }
      submitJobs(input: { queue: $queue, jobSet: "bench", jobs: [{ pool: "${POOL}", container: { image: "none" } }] }) {
        __typename
      }
    }`;
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: basic(user.username, user.password) },
      body: JSON.stringify({ query, variables: { queue: `bench-${at}` } }),
    });
    const text = await response.text();
    if (!text.includes('SubmitJobsPayload')) throw new Error(`submitting a job: ${text}`);
  }
}

/** All executors lease and finish for so long. Each finishes its jobs before it asks for more. */
async function windowOf(
  { postgresPid }: Ground,
  slipway: Server,
  scheduler: Child,
  executors: readonly LoadExecutor[],
  seconds: number,
): Promise<Window> {
  const spent = () => ({
    server: cpuOf(slipway.pid) + cpuOf(scheduler.pid),
    database: cpuOfFamily(postgresPid),
    sender: cpuOf(process.pid),
    machine: cpuOfMachine(),
  });
  forgetPeak(slipway.pid);
  const before = spent();
  const latencies = new Latencies();
  let isOver = false;
  const work = Promise.all(
    executors.map(async (executor) => {
      while (!isOver)
        await latencies.measure(
          async () => {
            const runs = await executor.lease(WAIT_SECONDS);
            const outcomes = runs.length > 0 ? await executor.finish(runs) : [];
            if (outcomes.some((outcome) => outcome !== 'APPLIED'))
              throw new Error(`a job ended ${outcomes.join()}`);
            return outcomes.length;
          },
          (count) => count,
        );
    }),
  );
  await Promise.race([sleep(seconds * 1000), work]);
  isOver = true;
  await work;
  const after = spent();
  const serverCpu = after.server - before.server;
  const databaseCpu = after.database - before.database;
  const ours = serverCpu + databaseCpu + after.sender - before.sender;
  return {
    ...numbersOf(latencies),
    serverCpu: serverCpu / latencies.items,
    databaseCpu: databaseCpu / latencies.items,
    megabytes: peakMemoryOf(slipway.pid),
    foreign: Math.max(after.machine - before.machine - ours, 0) / (latencies.seconds * 1000),
  };
}

/** The latencies are those of a batch: from the lease to the confirmed end. */
const numbersOf = (latencies: Latencies) => ({
  requestsPerSecond: latencies.perSecond,
  p50: latencies.quantile(0.5),
  p99: latencies.quantile(0.99),
});

/** The CPU time of the loop is not known apart from that of making its tables, so only its speed counts. */
async function loopOnce(databaseUrl: string, schema: string): Promise<Window> {
  const weights = Array<number>(QUEUES).fill(1);
  const sizes = { jobs: LOOP_JOBS, weights, executors: EXECUTORS, slots: BATCH };
  const latencies = await bareLoop(databaseUrl, schema, sizes);
  return { ...numbersOf(latencies), serverCpu: 0, databaseCpu: 0, megabytes: 0, foreign: 0 };
}

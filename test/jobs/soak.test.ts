/**
 * Many jobs of many queues, while executors are killed and a server is restarted: nothing is lost, and nothing counts
 * twice. Small in the usual run, and full with SOAK=1.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitJobsDocument } from '../../src/cli/load/documents.ts';
import { allOrFirstError } from '../../src/cli/load/submit-load.ts';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { databaseUrl, pool } from '../../src/platform/database/client.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { startExecutor } from '../support/executor.ts';
import { ExecutorProcess } from '../support/executor-process.ts';
import { make } from '../support/mutate.ts';
import { pause } from '../support/pause.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { askInTurn, CrewMember } from '../support/soak-crew.ts';
import { eventually } from '../support/waiting.ts';

const isSoak = Boolean(process.env['SOAK']);
const sizes = isSoak
  ? { jobs: 100_000, queues: 50, executors: 20, slots: 50, restarts: 2, killMs: 1000, gangs: 500 }
  : { jobs: 400, queues: 5, executors: 4, slots: 10, restarts: 1, killMs: 100, gangs: 8 };
/** The jobs that run as processes, and how often their executor is killed. */
const processes = isSoak ? { jobs: 2000, slots: 20, killMs: 20_000 } : { jobs: 8, slots: 4, killMs: 0 };
const POOL = 'soak';
const GANG_SIZE = 4;
const BATCH = isSoak ? 500 : 20;

let app: LocalApp;
let second: SecondServer;
/** Reads all rows of large tables, for which the connections of the product are not made. */
let judge: pg.Client;
beforeAll(async () => {
  app = await startApp();
  second = await startSecondServer();
  judge = new pg.Client({ connectionString: databaseUrl, options: '-c work_mem=64MB' });
  await judge.connect();
});
afterAll(async () => {
  await judge.end();
  await second.stop();
  await app.stop();
});

const rowsOf = async (sql: string, values: unknown[] = []) => (await pool.query(sql, values)).rows;
const judged = async (sql: string, values: unknown[] = []) => (await judge.query(sql, values)).rows;
const urls = () => [app.url, second.url];
const weightOf = (at: number) => [1, 2, 4][at % 3] ?? 1;
const queueName = (at: number) => `soak-${at}`;

/** Each queue has jobs by its weight, so that all queues have a backlog until the end. */
function jobsOfQueue(at: number): number {
  const all = Array.from({ length: sizes.queues }, (_, index) => weightOf(index)).reduce(
    (sum, one) => sum + one,
    0,
  );
  return Math.ceil((sizes.jobs * weightOf(at)) / all);
}

async function createQueues(): Promise<void> {
  for (let at = 0; at < sizes.queues; at += 1)
    await make(app, 'createQueue', { name: queueName(at), priorityFactor: 4 / weightOf(at) }, 'queue');
}

/** Submits single jobs and, between them, gangs. Each job has a client id, so that a repeated call changes nothing. */
async function submitAll(): Promise<void> {
  const ask = askInTurn(urls, app.admin);
  const container = { image: 'none', command: ['true'] };
  const submit = async (queue: string, jobs: readonly object[]) => {
    const { submitJobs } = await ask(submitJobsDocument, {
      input: { queue, jobSet: 'soak', jobs: jobs as never },
    });
    expect(submitJobs?.__typename).toBe('SubmitJobsPayload');
  };
  await allOrFirstError(
    Array.from({ length: sizes.queues }, async (_, at) => {
      const [queue, count] = [queueName(at), jobsOfQueue(at)];
      for (let from = 0; from < count; from += BATCH)
        await submit(
          queue,
          Array.from({ length: Math.min(BATCH, count - from) }, (_job, number) => ({
            ...{ clientId: `single-${from + number}`, pool: POOL, container, maxAttempts: 100 },
          })),
        );
      for (let gang = at; gang < sizes.gangs; gang += sizes.queues)
        await submit(
          queue,
          Array.from({ length: GANG_SIZE }, (_job, member) => ({
            ...{ clientId: `gang-${gang}-${member}`, pool: POOL, container },
            gang: { id: `gang-${gang}`, cardinality: GANG_SIZE },
          })),
        );
    }),
  );
}

const leftIn = async (name: string) =>
  (await rowsOf('select count(*)::int from jobs where pool = $1 and ended_at is null', [name]))[0]
    ?.count as number;

/** Jobs of this pool whose events are not those of a job that was finished exactly once. */
const wrongEnds = (name: string) =>
  judged(
    `select job.id, job.state, array_agg(event.kind order by event.sequence) as kinds
       from jobs as job join job_events as event on event.job_id = job.id
      where job.pool = $1
      group by job.id
     having (count(*) filter (where event.kind in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'PREEMPTED'))) <> 1
         or (job.gang_id is null and (count(*) filter (where event.kind = 'SUCCEEDED')) <> 1)
         or (select count(*) from job_runs as run where run.job_id = job.id and run.state = 'SUCCEEDED')
            <> (count(*) filter (where event.kind = 'SUCCEEDED'))
      limit 5`,
    [name],
  );

/** Events that a run reported after its lease had ended and its job had gone to another run. */
const acceptedAfterFence = () =>
  judged(
    `select later.job_id, later.run_id, later.kind
       from job_events as lost
       join job_events as next on next.job_id = lost.job_id and next.sequence > lost.sequence
                              and next.kind = 'LEASED' and next.run_id <> lost.run_id
       join job_events as later on later.job_id = lost.job_id and later.sequence > next.sequence
                               and later.run_id = lost.run_id
      where lost.kind in ('LEASE_EXPIRED', 'LEASE_RETURNED')
      limit 5`,
  );

/** Gangs of which some jobs were leased at another moment than the others, or more than once. */
const gangsInPart = () =>
  judged(
    `select job.gang_id, count(*)::int as leases, count(distinct event.created_at)::int as moments
       from jobs as job join job_events as event on event.job_id = job.id and event.kind = 'LEASED'
      where job.gang_id is not null
      group by job.gang_id having count(*) <> $1 or count(distinct event.created_at) <> 1`,
    [GANG_SIZE],
  );

const gangs = async () => (await rowsOf('select count(*)::int from gangs'))[0]?.count as number;

/**
 * For each ten seconds in which all queues had a backlog: how far the queues of one weight together are from their part,
 * as a part of it, and which part of all leases went to other queues than by weight.
 */
const distances = () =>
  judged(
    `with leased as (
       select queue.name, 1 / queue.priority_factor as weight, event.created_at
         from job_events as event
         join jobs as job on job.id = event.job_id and job.pool = $1
         join queues as queue on queue.id = job.queue_id
        where event.kind = 'LEASED'
     ),
     backlog as (
       select min(last) as until, (select min(created_at) from leased) as since
         from (select max(created_at) as last from leased group by name) as ends
     ),
     counted as (
       select slot, name, weight, count(*) as leases
         from (select name, weight, floor(extract(epoch from created_at - since) / 10) as slot
                 from leased cross join backlog
                where created_at < since + floor(extract(epoch from until - since) / 10) * interval '10 seconds') as timed
        group by slot, name, weight
     ),
     shared as (
       select slot, weight, leases, leases / sum(leases) over (partition by slot) as share,
              weight / sum(weight) over (partition by slot) as part
         from counted
     ),
     by_weight as (
       select slot, abs(sum(share) / sum(part) - 1) as distance from shared group by slot, weight
     )
     select slot::int, sum(leases)::int as leases, (sum(abs(share - part)) / 2)::float8 as misplaced,
            (select max(distance) from by_weight where by_weight.slot = shared.slot)::float8 as distance
       from shared group by slot order by slot`,
    [POOL],
  );

describe('jobs of many queues', () => {
  it(
    'are finished once each, while executors are killed and a server is restarted',
    async () => {
      await createQueues();
      await submitAll();
      const ask = askInTurn(urls, app.executor);
      const holdMs = () => (isSoak ? 5 + Math.random() * 20 : 50 + Math.random() * 50);
      const crew = Array.from(
        { length: sizes.executors },
        (_, at) => new CrewMember(ask, `soak-${at}`, { pool: POOL, slots: sizes.slots, holdMs }),
      );
      const ghosts: Promise<string[]>[] = [];
      const began = await leftIn(POOL);
      let restarts = 0;
      for (let turn = 0; (await leftIn(POOL)) > 0; turn += 1) {
        await pause(sizes.killMs);
        const remembers = (turn + Math.floor(turn / crew.length)) % 2 === 0;
        const ghost = crew[turn % crew.length]?.kill({ remembers });
        // Of a killed executor without records, the leases end, and only then it speaks again.
        if (ghost && !remembers) ghosts.push(loseAndSpeak(ghost));
        // A failure is heard at the end.
        ghosts.at(-1)?.catch(() => {});
        if (
          restarts < sizes.restarts &&
          (await leftIn(POOL)) < began * (1 - (restarts + 1) / (sizes.restarts + 1))
        ) {
          restarts += 1;
          await second.stop();
          second = await startSecondServer();
        }
      }
      for (const member of crew) await member.stop();

      expect(restarts).toBe(sizes.restarts);
      const outcomes = (await Promise.all(ghosts)).flat();
      expect(outcomes.length).toBeGreaterThan(0);
      // What a killed executor had sent before it died may have been stored, and is then repeated.
      expect(outcomes.filter((outcome) => outcome === 'APPLIED')).toEqual([]);
      expect(await wrongEnds(POOL)).toEqual([]);
      expect(await acceptedAfterFence()).toEqual([]);
      expect(await gangsInPart()).toEqual([]);
      expect(await gangs()).toBe(sizes.gangs);
      const [{ count }] = (await rowsOf('select count(*)::int from jobs where pool = $1', [POOL])) as [
        { count: number },
      ];
      const singles = Array.from({ length: sizes.queues }, (_, at) => jobsOfQueue(at)).reduce(
        (sum, one) => sum + one,
      );
      expect(count).toBe(singles + sizes.gangs * GANG_SIZE);
      if (!isSoak) return;
      const measured = await distances();
      process.stdout.write(`${JSON.stringify(measured)}\n`);
      for (const { misplaced } of measured) expect(misplaced).toBeLessThan(0.05);
    },
    isSoak ? 3_600_000 : 180_000,
  );

  it(
    'are finished once each, also as processes whose executor is killed',
    async () => {
      const pooled = { pool: 'default', container: { image: 'none', command: ['true'] }, maxAttempts: 100 };
      const container = { ...pooled.container, resources: { requests: [{ name: 'cpu', value: '100m' }] } };
      const ask = askInTurn(urls, app.admin);
      await make(app, 'createQueue', { name: 'soak-processes' }, 'queue');
      for (let from = 0; from < processes.jobs; from += BATCH)
        await ask(submitJobsDocument, {
          input: {
            ...{ queue: 'soak-processes', jobSet: 'soak' },
            jobs: Array.from({ length: Math.min(BATCH, processes.jobs - from) }, (_, at) => ({
              ...{ ...pooled, container, clientId: `process-${from + at}` },
            })),
          },
        });
      const ended = () =>
        eventually(
          () => leftIn('default'),
          (left) => left === 0,
        );
      if (isSoak) await withKilledProcess();
      else {
        const executor = await startExecutor(app, { name: 'soak-process', slots: processes.slots });
        await ended();
        await executor.stop();
      }
      expect(await wrongEnds('default')).toEqual([]);
      expect(await acceptedAfterFence()).toEqual([]);
    },
    isSoak ? 3_600_000 : 180_000,
  );
});

/**
 * The leases of a killed executor end. When the jobs have other runs, or have failed, it reports that its own runs have
 * succeeded.
 */
async function loseAndSpeak(ghost: ReturnType<CrewMember['kill']>): Promise<string[]> {
  const runs = ghost.runs.map(({ id }) => id);
  const lost = new Set<string>();
  const waiting = `select count(*)::int from job_runs as run join jobs as job on job.id = run.job_id
     where run.id = any($1::uuid[]) and job.ended_at is null
       and not exists (select from job_runs as next where next.job_id = run.job_id and next.leased_at > run.leased_at)`;
  // Again and again, because the last call of the killed executor may still arrive and renew them.
  await eventually(
    async () => {
      // In the order in which the server locks jobs and runs: it changes the same ones.
      const ended = await rowsOf(
        `with job as materialized (
           select id from jobs where id in (select job_id from job_runs where id = any($1::uuid[]))
            order by id for update
         ),
         run as materialized (
           select run.id from job_runs as run join job on job.id = run.job_id
            where run.id = any($1::uuid[]) and run.ended_at is null order by run.job_id, run.id for update of run
         )
         update job_runs set lease_expires_at = now() - interval '1 second'
          where id in (select id from run) returning id`,
        [runs],
      );
      for (const { id } of ended) lost.add(id as string);
      while ((await expireLeases()) > 0);
      return (await rowsOf(waiting, [[...lost]]))[0]?.count as number;
    },
    (count) => count === 0,
  );
  const outcomes = await ghost.report();
  return outcomes.filter((_outcome, at) => lost.has(runs[at] ?? ''));
}

/** One executor is a process that is killed again and again, and the other one lives. */
async function withKilledProcess(): Promise<void> {
  const members = ['killed', 'living'].map(
    (name) =>
      new ExecutorProcess(app, {
        ...{ SLIPWAY_EXECUTOR: `soak-${name}`, SLIPWAY_EXECUTOR_SLOTS: String(processes.slots) },
      }),
  );
  for (const member of members) member.start();
  const [killed] = members;
  let isOver = false;
  const killing = (async () => {
    for (let waited = 0; !isOver; waited += 100) {
      await pause(100);
      if (waited % processes.killMs !== processes.killMs - 100) continue;
      await killed?.kill();
      killed?.start();
    }
  })();
  try {
    // Longer than `eventually` waits.
    while ((await leftIn('default')) > 0) await pause(1000);
  } finally {
    isOver = true;
    await killing;
    for (const member of members) await member.remove();
  }
}

/** How many jobs the search for broken gangs reads, when very many jobs of other gangs have ended. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejectBrokenGangs } from '../../src/jobs/commands/reject-broken-gangs.ts';
import type { Pool } from '../../src/jobs/store/leases.ts';
import { pool as database } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { rowsOf, type Sent, sentBy } from '../support/plans.ts';
import { homeTenant } from '../support/users.ts';
import { PlainQueue } from './plain-jobs.ts';

const ENDED_GANGS = 40;
const ENDED_JOBS = 500;
const GANGS = 10;
const JOBS = 4;

let app: App;
let queue: PlainQueue;
let pool: Pool;
let planner: pg.Client;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
  pool = { tenantId: await homeTenant(), name: queue.pool };
  for (let at = 0; at < GANGS; at += 1)
    await queue.submit(Array(JOBS).fill({ gang: { id: `waits-${at}`, cardinality: JOBS } }));
  await database.query(
    `with made as (
       insert into gangs (id, tenant_id, queue_id, name, cardinality, size, priority_class, pool)
       select gen_random_uuid(), $1::uuid, $2::uuid, 'ended-' || n, ${ENDED_JOBS}, ${ENDED_JOBS}, 'slipway-default', $3
         from generate_series(1, ${ENDED_GANGS}) as n returning id
     ),
     model as (select * from jobs where queue_id = $2::uuid limit 1)
     insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool, gang_id, state, ended_at)
     select gen_random_uuid(), model.tenant_id, model.queue_id, model.job_set_id, model.spec, model.owner_id, model.pool,
            made.id, 'SUCCEEDED', now()
       from made cross join model cross join generate_series(1, ${ENDED_JOBS})`,
    [pool.tenantId, queue.id, pool.name],
  );
  await database.query('vacuum analyze jobs');
  await database.query('vacuum analyze gangs');
  planner = new pg.Client({
    connectionString: database.options.connectionString,
    options: database.options.options,
  });
  await planner.connect();
}, 60_000);
afterAll(async () => {
  await planner.end();
  await app.stop();
});

/** How many rows of jobs these statements read, with plans of this kind. */
async function rowsRead(sent: readonly Sent[], plans: 'generic' | 'custom'): Promise<number> {
  await planner.query(`set plan_cache_mode = force_${plans}_plan`);
  let sum = 0;
  for (const [at, { text, values }] of sent.entries()) {
    const name = `${plans}_${at}`;
    await planner.query(`prepare ${name} as ${text}`);
    const given = values
      .map((value) => (value === null ? 'null' : pg.escapeLiteral(String(value))))
      .join(', ');
    const { rows } = await planner.query(`explain (analyze, buffers, format json) execute ${name}(${given})`);
    await planner.query(`deallocate ${name}`);
    sum += rowsOf(rows[0]['QUERY PLAN'][0].Plan, 'jobs');
  }
  return sum;
}

describe(`with ${ENDED_GANGS * ENDED_JOBS} jobs of other gangs that have ended`, () => {
  it.each<[string, () => Pool | null, 'generic' | 'custom']>([
    ['of one pool, planned for any values', () => pool, 'generic'],
    ['of one pool, planned for its values', () => pool, 'custom'],
    ['of all pools, planned for any values', () => null, 'generic'],
    ['of all pools, planned for its values', () => null, 'custom'],
  ])('the search %s reads only the gangs that wait', async (_what, of, plans) => {
    const sent = await sentBy(
      () => rejectBrokenGangs(of(), null),
      (text) => /\bjobs\b/.test(text),
    );
    expect(sent).toHaveLength(1);
    // Each gang once to find it, and each of its jobs once.
    expect(await rowsRead(sent, plans)).toBeLessThanOrEqual(GANGS * (JOBS + 1));
  });
});

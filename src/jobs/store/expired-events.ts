import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** How the events of job sets without an owner are deleted whose time is over. */

const dueStatement = statement<{ id: string }>(
  'select id from job_sets where owner_id is null and look_at <= now() order by look_at limit $1',
);

/** The job sets that a sweep must look at, the longest due first. */
export const listJobSetsToLookAt = async (limit: number): Promise<string[]> =>
  (await run(dueStatement, [limit])).map(({ id }) => id);

const lockStatement = statement<{ id: string }>(
  'select id from job_sets where id = $1::uuid and owner_id is null and look_at <= now() for update skip locked',
);

/** Whether a sweep must look at the job set, which is then locked until the transaction ends: nobody writes events. */
export const lockToLookAt = async (tx: Tx, id: string): Promise<boolean> =>
  (await run(lockStatement, [id], tx)).length > 0;

/** A job set that is locked. */
export interface LockedSet {
  /** When something was last written to it. */
  readonly writtenAt: Date;
  readonly hasJobs: boolean;
  readonly hasOpenJobs: boolean;
}

const stateStatement = statement<LockedSet>(
  `select coalesce((select created_at from job_events where job_set_id = set.id order by sequence desc limit 1),
                   set.created_at) as "writtenAt",
          exists (select from jobs where job_set_id = set.id) as "hasJobs",
          exists (select from jobs where job_set_id = set.id and ended_at is null) as "hasOpenJobs"
     from job_sets as set where id = $1::uuid`,
);

export async function readLockedSet(tx: Tx, id: string): Promise<LockedSet> {
  const [row] = await run(stateStatement, [id], tx);
  if (!row) throw new Error(`the job set ${id} is locked and gone`);
  return row;
}

/** How many events one statement deletes. */
const BATCH = 2000;

const expireStatement = statement<{ isLast: boolean }>(
  `with set as (
     update job_sets set expired_sequence = least(last_sequence, expired_sequence + ${BATCH})
      where id = $1::uuid returning id, expired_sequence, last_sequence
   ),
   gone as (
     delete from job_events as event using set
      where event.job_set_id = set.id and event.sequence <= set.expired_sequence
   )
   select expired_sequence = last_sequence as "isLast" from set`,
);

/** Deletes the first 2,000 events of a job set. @returns whether there are more. */
export async function expireEvents(tx: Tx, id: string): Promise<boolean> {
  const [row] = await run(expireStatement, [id], tx);
  return row?.isLast === false;
}

const laterStatement = statement<{ id: string }>(
  `update job_sets set look_at = now() + $2::float8 * interval '1 second' where id = $1::uuid returning id`,
);

export async function lookLater(tx: Tx, id: string, seconds: number): Promise<void> {
  await run(laterStatement, [id, seconds], tx);
}

const dropStatement = statement<{ id: string }>('delete from job_sets where id = $1::uuid returning id');

/** Deletes a job set that has neither jobs nor events. */
export async function dropJobSet(tx: Tx, id: string): Promise<void> {
  await run(dropStatement, [id], tx);
}

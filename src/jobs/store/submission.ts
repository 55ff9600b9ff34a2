import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** A new job, in the JSON form of the statement. */
export interface NewJob {
  readonly position: number;
  readonly id: string;
  readonly clientId: string | null;
  readonly priority: number;
  readonly spec: object;
  readonly labels: object;
  readonly annotations: object;
  readonly activeDeadlineSeconds: number | null;
}

const asked = `
  asked as materialized (
    select * from json_to_recordset($5::json) as asked(
      "position" int, id uuid, "clientId" text, priority bigint, spec json, labels jsonb, annotations jsonb,
      "activeDeadlineSeconds" int)
  )`;

const insertJobs = statement<{ id: string }>(
  `with ${asked},
   stored as (
     insert into jobs (id, tenant_id, queue_id, job_set_id, client_id, priority, spec, labels, annotations,
                       active_deadline_seconds, owner_id, submitted_at, updated_at)
     select id, $1::uuid, $2::uuid, $3::uuid, "clientId", priority, spec, labels, annotations,
            "activeDeadlineSeconds", $4::uuid, now(), now()
       from asked order by "position"
     on conflict (queue_id, client_id) do nothing
     returning id, pool
   ),
   numbered as (
     select id, pool, row_number() over (order by asked."position") as number from stored join asked using (id)
   ),
   stream as (
     update job_sets set last_sequence = last_sequence + 2 * (select count(*) from stored)
      where id = $3::uuid and exists (select from stored)
     returning id, coalesce(owner_id, id) as news, last_sequence - 2 * (select count(*) from stored) as base
   ),
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, kind)
     select stream.id, stream.base + 2 * number - 1 + step, $1::uuid, numbered.id,
            case step when 0 then 'SUBMITTED' else 'QUEUED' end::job_event_kind
       from numbered cross join stream cross join generate_series(0, 1) as step
   )
   select numbered.id, ${notifySql('pool', poolIdSql('$1', 'pool'))},
          ${notifySql('job-set', 'stream.news')}
     from numbered cross join stream`,
);

const findByClientId = statement<{ clientId: string; id: string }>(
  `select client_id as "clientId", id from jobs where queue_id = $1::uuid and client_id = any($2::text[])`,
);

/**
 * Stores the jobs of one job set, whose row the caller has locked, with their first events. If the queue already has a
 * client id, or if it occurs twice here, there is no second job.
 *
 * @returns the stored id of each job, in the given order; for a repeated client id, the id of the first job.
 */
export async function storeJobs(
  tx: Tx,
  set: { tenantId: string; queueId: string; jobSetId: string; ownerId: string },
  jobs: readonly NewJob[],
): Promise<string[]> {
  const stored = await run(
    insertJobs,
    [set.tenantId, set.queueId, set.jobSetId, set.ownerId, JSON.stringify(jobs)],
    tx,
  );
  if (stored.length === jobs.length) return jobs.map((job) => job.id);
  const clientIds = jobs.flatMap((job) => job.clientId ?? []);
  const known = await run(findByClientId, [set.queueId, clientIds], tx);
  const idOf = new Map(known.map((row) => [row.clientId, row.id]));
  return jobs.map((job) => idOf.get(job.clientId ?? '') ?? job.id);
}

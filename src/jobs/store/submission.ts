import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { UnavailableError } from '../../platform/errors.ts';

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
  readonly pool: string;
  readonly gangId: string | null;
  readonly failFast: boolean;
  readonly onPreemption: string;
  readonly namespace: string;
  readonly externalUri: string | null;
  readonly maxAttempts: number;
  readonly priorityClass: string;
  readonly classPriority: number;
  readonly isPreemptible: boolean;
  readonly resources: object;
  readonly nodeSelector: object;
  readonly tolerations: readonly object[];
  readonly shape: string;
}

const asked = `
  asked as materialized (
    select * from json_to_recordset($5::json) as asked(
      "position" int, id uuid, "clientId" text, priority bigint, spec json, labels jsonb, annotations jsonb,
      "activeDeadlineSeconds" int, pool text, "gangId" uuid, "failFast" boolean, "onPreemption" on_preemption,
      namespace text, "externalUri" text, "maxAttempts" int, "priorityClass" text, "classPriority" int, "isPreemptible" boolean,
      resources jsonb, "nodeSelector" jsonb, tolerations jsonb, shape text)
  )`;

/*
 * Rows are inserted in the order of their client ids, so that two requests with the same ids wait for each other at the
 * first one, and not in a circle.
 */
const insertJobs = statement<{ id: string }>(
  `with ${asked},
   stored as (
     insert into jobs (id, tenant_id, queue_id, job_set_id, is_owned, client_id, priority, spec, labels, annotations,
                       active_deadline_seconds, pool, gang_id, fail_fast, on_preemption, namespace, external_uri,
                       max_attempts, priority_class, class_priority, is_preemptible, resources, node_selector, tolerations, shape,
                       owner_id, submitted_at, updated_at)
     select id, $1::uuid, $2::uuid, $3::uuid, $6::boolean, "clientId", priority, spec, labels, annotations,
            "activeDeadlineSeconds", pool, "gangId", "failFast", "onPreemption", namespace, "externalUri",
            "maxAttempts", "priorityClass", "classPriority", "isPreemptible", resources, "nodeSelector", tolerations, shape,
            $4::uuid, now(), now()
       from asked order by "clientId", "position"
     on conflict do nothing
     returning id, pool, gang_id
   ),
   grown as (
     update gangs as gang set size = size + n
       from (select gang_id, count(*) as n from stored where gang_id is not null group by gang_id) as counted
      where gang.id = counted.gang_id
   ),
   numbered as (
     select id, stored.pool, row_number() over (order by asked."position") as number from stored join asked using (id)
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
  `select client_id as "clientId", id from jobs
    where queue_id = $1::uuid and not is_owned and client_id = any($2::text[])`,
);

const findInSet = statement<{ clientId: string; id: string }>(
  `select client_id as "clientId", id from jobs where job_set_id = $1::uuid and client_id = any($2::text[])`,
);

/**
 * Stores the jobs of one job set, whose row the caller has locked, with their first events. If a client id is known
 * already, or if it occurs twice here, there is no second job.
 *
 * @returns the stored id of each job, in the given order; for a repeated client id, the id of the first job.
 * @throws UnavailableError if the first job of a client id is deleted at this moment, because its time is over.
 */
export async function storeJobs(
  tx: Tx,
  set: { tenantId: string; queueId: string; jobSetId: string; isOwned: boolean; ownerId: string },
  jobs: readonly NewJob[],
): Promise<string[]> {
  const stored = await run(
    insertJobs,
    [set.tenantId, set.queueId, set.jobSetId, set.ownerId, JSON.stringify(jobs), set.isOwned],
    tx,
  );
  if (stored.length === jobs.length) return jobs.map((job) => job.id);
  const clientIds = jobs.flatMap((job) => job.clientId ?? []);
  const known = set.isOwned
    ? await run(findInSet, [set.jobSetId, clientIds], tx)
    : await run(findByClientId, [set.queueId, clientIds], tx);
  const isStored = new Set(stored.map(({ id }) => id));
  const idOf = new Map(known.map((row) => [row.clientId, row.id]));
  return jobs.map(({ id, clientId }) => {
    const storedId = isStored.has(id) ? id : idOf.get(clientId ?? '');
    if (storedId === undefined)
      throw new UnavailableError('a job with one of these client ids was being deleted; try again');
    return storedId;
  });
}

import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { ReportedNode } from '../domain/reported-nodes.ts';
import { lockJobSetsOf, newsOf, numberOf, numbersFor } from './job-sets.ts';
import type { Pool } from './leases.ts';

/** An executor, and what it has reported last, however long ago. */
export interface KnownExecutor {
  readonly id: string;
  readonly name: string;
  readonly nodesDigest: string;
  /** Null if the caller knows the nodes with this digest. */
  readonly nodes: readonly ReportedNode[] | null;
  /** How long the pool has had executors. */
  readonly poolAgeSeconds: number;
}

const knownExecutors = statement<KnownExecutor>(
  `select id, name, nodes_digest as "nodesDigest",
          case when nodes_digest = any($4::text[]) then null else nodes end as nodes,
          extract(epoch from now() - min(created_at) over ())::float8 as "poolAgeSeconds"
     from executors
    where tenant_id = $1::uuid and pool = $2 and last_seen_at > now() - make_interval(secs => $3)
    order by name, id`,
);

/** The executors of the pool that called in the last `seconds`, by name. */
export function listKnownExecutors(
  tx: Tx,
  pool: Pool,
  seconds: number,
  knownDigests: readonly string[],
): Promise<KnownExecutor[]> {
  return run(knownExecutors, [pool.tenantId, pool.name, seconds, knownDigests], tx);
}

export interface FormerNodes {
  readonly executorId: string;
  readonly executor: string;
  readonly node: ReportedNode;
  readonly count: number;
}

/** How many kinds of nodes that are gone count for one pool. */
const MAX_FORMER = 1000;

const formerNodes = statement<FormerNodes>(
  `select former.executor_id as "executorId", executor.name as executor, former.node, former.count
     from former_nodes as former join executors as executor on executor.id = former.executor_id
    where former.tenant_id = $1::uuid and former.pool = $2 and former.left_at > now() - make_interval(secs => $3)
    order by former.left_at desc limit ${MAX_FORMER}`,
);

/** The kinds of nodes that the executors of the pool had in the last `seconds`, and do not report any more. */
export function listFormerNodes(tx: Tx, pool: Pool, seconds: number): Promise<FormerNodes[]> {
  return run(formerNodes, [pool.tenantId, pool.name, seconds], tx);
}

const forgetStatement = statement<{ count: number }>(
  `with batch as (
     select tenant_id, executor_id, pool, kind from former_nodes
      where left_at <= now() - make_interval(secs => $1) limit $2 for update skip locked
   ),
   gone as (
     delete from former_nodes as former using batch
      where (former.tenant_id, former.executor_id, former.pool, former.kind)
            = (batch.tenant_id, batch.executor_id, batch.pool, batch.kind) returning 1
   )
   select count(*)::int as count from gone`,
);

/** Deletes some of the nodes that left longer ago than this. @returns how many. */
export async function forgetFormerNodes(seconds: number, limit: number): Promise<number> {
  const [row] = await run(forgetStatement, [seconds, limit]);
  return row?.count ?? 0;
}

export interface Rejection {
  readonly jobId: string;
  readonly message: string;
}

const rejectStatement = statement<{ id: string }>(
  `with asked as materialized (
     select * from jsonb_to_recordset($1::jsonb) as asked("position" int, "jobId" uuid, message text)
   ),
   queued as materialized (
     select job.id, job.gang_id from asked join jobs as job on job.id = asked."jobId"
      where job.state = 'QUEUED' order by job.id for update of job
   ),
   whole as (
     select queued.gang_id from queued join gangs as gang on gang.id = queued.gang_id
      group by queued.gang_id, gang.cardinality having count(*) = gang.cardinality
   ),
   rejected as (
     update jobs as job
        set state = 'REJECTED', ended_at = now(), updated_at = now(), error_code = $2, error_message = asked.message
       from queued join asked on asked."jobId" = queued.id
      where job.id = queued.id
        and ($3::boolean or queued.gang_id is null or queued.gang_id in (select gang_id from whole))
     returning job.id, job.tenant_id, job.job_set_id, asked."position", asked.message
   ),
   ${numbersFor('rejected')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, kind, detail)
     select rejected.job_set_id, ${numberOf('rejected.job_set_id', 'rejected."position"')},
            rejected.tenant_id, rejected.id, 'REJECTED',
            jsonb_build_object('error', jsonb_build_object('code', $2::text, 'message', rejected.message,
                                                           'kind', 'SYSTEM'))
       from rejected
   )
   select rejected.id, ${notifySql('job-set', newsOf('rejected.job_set_id'))}
     from rejected`,
);

/**
 * Rejects those of the jobs that are still queued. If one job of a gang is not, no job of the gang is rejected, unless
 * `inPart` says so. Locks as described in runs.ts.
 *
 * @returns how many jobs were rejected.
 */
export async function rejectJobs(
  tx: Tx,
  code: string,
  rejections: readonly Rejection[],
  { inPart = false } = {},
): Promise<number> {
  if (rejections.length === 0) return 0;
  await lockJobSetsOf(
    tx,
    rejections.map(({ jobId }) => jobId),
  );
  const asked = rejections.map((rejection, position) => ({ position, ...rejection }));
  return (await run(rejectStatement, [JSON.stringify(asked), code, inPart], tx)).length;
}

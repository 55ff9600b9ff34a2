import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

const ensureJobSet = statement<{ id: string }>(
  'ensure_job_set',
  `insert into job_sets as known (id, tenant_id, queue_id, name)
   values ($1::uuid, $2::uuid, $3::uuid, $4)
   on conflict (tenant_id, queue_id, name) do update set name = known.name
   returning id`,
);

/** The set of that name, made if it is the first time; its row stays locked until the transaction ends. */
export async function lockJobSet(
  tx: Tx,
  set: { id: string; tenantId: string; queueId: string; name: string },
): Promise<string> {
  const [row] = await run(ensureJobSet, [set.id, set.tenantId, set.queueId, set.name], tx);
  if (!row) throw new Error('the job set was neither there nor made');
  return row.id;
}

export interface JobSetEvent {
  readonly sequence: bigint;
  readonly jobId: string;
  readonly clientId: string | null;
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

const readEvents = statement<JobSetEvent>(
  'read_job_set_events',
  `select event.sequence, event.job_id as "jobId", job.client_id as "clientId", event.kind::text as kind,
          event.detail, event.created_at as "createdAt"
     from job_sets as set
     join job_events as event on event.job_set_id = set.id
     join jobs as job on job.id = event.job_id
    where set.name = $1 and set.tenant_id = $2::uuid and event.sequence > $3
    order by event.sequence
    limit $4`,
);

/** The set's events after `after`, in their order, at most `limit`. Empty for a set that does not exist. */
export function listJobSetEvents(
  tx: Tx,
  set: { tenantId: string; name: string; after: bigint; limit: number },
): Promise<JobSetEvent[]> {
  return run(readEvents, [set.name, set.tenantId, set.after, set.limit], tx);
}

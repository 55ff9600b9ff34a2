import type { JobEventKind } from '../../generated/prisma/enums.ts';
import { eachAt } from '../../platform/by-address.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { isId } from '../../platform/ids.ts';
import { MAX_EVENTS_BYTES } from './job-sets.ts';
import type { QueueBy } from './queues.ts';
import type { StoredRunUsage } from './usage.ts';

/** A job set, and the resources that decide who may watch it. */
export interface JobSetRow {
  readonly id: string;
  readonly tenantId: string;
  readonly queueId: string;
  readonly ownerId: string | null;
  readonly projectId: string | null;
  readonly workflowEntityId: string | null;
}

/** The address of a job set. It need not exist. */
export interface JobSetName {
  readonly queue: QueueBy;
  readonly name: string;
}

const byNames = statement<JobSetRow & { readonly number: bigint }>(
  `select asked.number, set.id, set.tenant_id as "tenantId", set.queue_id as "queueId", set.owner_id as "ownerId",
          set.project_id as "projectId", set.workflow_entity_id as "workflowEntityId"
     from unnest($2::uuid[], $3::text[], $4::text[]) with ordinality as asked(queue_id, queue_name, name, number)
     join queues as queue on queue.tenant_id = $1::uuid and queue.deleted_at is null
                         and (queue.id = asked.queue_id or queue.name = asked.queue_name)
     join job_sets as set on set.tenant_id = queue.tenant_id and set.queue_id = queue.id and set.name = asked.name`,
);

/** No queue has these. */
const NO_ID = '00000000-0000-0000-0000-000000000000';
const NO_NAME = '';

/** The job set with each of these names; null if nothing was ever submitted to it. */
export async function readJobSets(
  tenantId: string,
  names: readonly JobSetName[],
): Promise<(JobSetRow | null)[]> {
  const ids = names.map(({ queue }) => ('id' in queue && isId(queue.id) ? queue.id : NO_ID));
  const queueNames = names.map(({ queue }) => ('name' in queue ? queue.name : NO_NAME));
  const setNames = names.map(({ name }) => name);
  const rows = await run(byNames, [tenantId, ids, queueNames, setNames]);
  return eachAt(
    names.map((_, at) => at + 1),
    String,
    rows.map((row) => [String(row.number), row]),
  );
}

/** What an event says besides its kind. Which of these there are depends on the kind. */
export interface JobEventDetail {
  readonly reason?: string | null;
  /** The id of the user who asked for it. */
  readonly requestor?: string | null;
  readonly executor?: string;
  readonly pool?: string;
  readonly node?: string;
  readonly attempted?: boolean;
  readonly requeued?: boolean;
  readonly retryable?: boolean;
  readonly exitCode?: number;
  readonly error?: { readonly code: string; readonly message: string; readonly kind: 'USER' | 'SYSTEM' };
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly newPriority?: number;
  readonly preemptingJob?: string;
  readonly usage?: Omit<StoredRunUsage, 'usageAt'>;
  /** When it happened by the clock of the executor. */
  readonly occurredAt?: string;
}

export interface JobEventRow {
  readonly jobSetId: string;
  readonly sequence: bigint;
  readonly jobId: string;
  readonly runId: string | null;
  readonly kind: JobEventKind;
  readonly detail: JobEventDetail;
  readonly createdAt: Date;
}

const eventsAfter = statement<JobEventRow>(
  `select "jobSetId", sequence, "jobId", "runId", kind, detail, "createdAt" from (
     select job_set_id as "jobSetId", sequence, job_id as "jobId", run_id as "runId", kind::text as kind,
            detail - 'outputLiterals' as detail, created_at as "createdAt",
            sum(length(detail::text)) over (order by sequence) as bytes, row_number() over (order by sequence) as number
       from (select * from job_events where job_set_id = $1::uuid and sequence > $2 order by sequence limit $3) as page
   ) as measured
   where bytes <= ${MAX_EVENTS_BYTES} or number = 1
   order by sequence`,
);

/** The events of a job set after this one, in their order: at most `limit` events, and at most 8 MiB. */
export const readJobEventsAfter = (jobSetId: string, sequence: bigint, limit: number) =>
  run(eventsAfter, [jobSetId, sequence, limit]);

/** How the events of a job set are at one moment. */
export interface JobSetEnd {
  /** The number of the last event. */
  readonly lastSequence: bigint;
  /** The number of the last event that was deleted because its time was over; 0 for none. */
  readonly expiredSequence: bigint;
  /** Whether all jobs have ended. */
  readonly isFinished: boolean;
}

const end = statement<JobSetEnd>(
  `select set.last_sequence as "lastSequence", set.expired_sequence as "expiredSequence",
          not exists (select from jobs where job_set_id = set.id and ended_at is null) as "isFinished"
     from job_sets as set where set.id = $1::uuid`,
);

/** Null if the job set was deleted. */
export async function readJobSetEnd(jobSetId: string): Promise<JobSetEnd | null> {
  const [row] = await run(end, [jobSetId]);
  return row ?? null;
}

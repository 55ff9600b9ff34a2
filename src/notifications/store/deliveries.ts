import type { DeliveryState, ExecutionPhase, NotificationSink } from '../../generated/prisma/enums.ts';
import { eachOf } from '../../platform/by-id.ts';
import { countOfEach, lastIdFirst, type Page, pageOfEach } from '../../platform/database/page.ts';
import { query, run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, NO_ID, newId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import type { PlannedDelivery } from '../domain/deliveries.ts';

/** One attempt to send a notification. */
export interface DeliveryAttempt {
  readonly at: string;
  readonly statusCode: number | null;
  readonly error: string | null;
}

export interface DeliveryRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly executionId: string;
  readonly position: number;
  readonly phase: ExecutionPhase;
  readonly sink: NotificationSink;
  readonly url: string | null;
  readonly recipients: readonly string[];
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly log: readonly DeliveryAttempt[];
  readonly deliveredAt: Date | null;
  readonly createdAt: Date;
}

const columns = `
  delivery.id, delivery.tenant_id as "tenantId", delivery.project_id as "projectId",
  delivery.execution_id as "executionId", delivery.position, delivery.phase::text as phase,
  delivery.sink::text as sink, delivery.url, delivery.recipients, delivery.state::text as state, delivery.attempts,
  delivery.next_attempt_at as "nextAttemptAt", delivery.log, delivery.delivered_at as "deliveredAt",
  delivery.created_at as "createdAt"`;

export const deliveriesOfExecutions = {
  columns,
  source: 'notification_deliveries as delivery',
  parent: 'delivery.execution_id',
  order: lastIdFirst('delivery'),
};

/** The deliveries of each execution, newest first: one page, and one more row if there is one. */
export const readDeliveriesOfExecutions = (executionIds: readonly string[], page: Page) =>
  query<DeliveryRow>(pageOfEach(deliveriesOfExecutions, executionIds, page));

export const countDeliveriesOfExecutions = (executionIds: readonly string[]) =>
  query<ChildCount>(countOfEach(deliveriesOfExecutions, executionIds));

const readStatement = statement<DeliveryRow>(
  `select ${columns} from notification_deliveries as delivery
    where delivery.id = any($1::uuid[]) and delivery.tenant_id = $2::uuid`,
);

/** One row or null for each id, in the order of the ids. */
export async function readDeliveries(
  tenantId: string,
  ids: readonly string[],
): Promise<(DeliveryRow | null)[]> {
  return eachOf(ids, await run(readStatement, [ids.map((id) => (isId(id) ? id : NO_ID)), tenantId]));
}

/** The columns have milliseconds, and PostgreSQL would round up: then the attempt would not be due yet. */
const NOW = `date_trunc('milliseconds', now())`;

const insertStatement = statement<{ id: string }>(
  `with asked as (
     select * from json_to_recordset($5::json) as asked(id uuid, "position" int, sink notification_sink, url text,
       recipients text[], content json)
   ),
   made as (
     insert into notification_deliveries (id, tenant_id, project_id, execution_id, position, phase, sink, url,
                                          recipients, content, next_attempt_at)
     select id, $1::uuid, $2::uuid, $3::uuid, "position", $4::execution_phase, sink, url, recipients, content, ${NOW}
       from asked
     on conflict (execution_id, position) do nothing
     returning id
   )
   select id, ${notifySql('delivery', 'id')} from made`,
);

/** Stores the notifications of an execution that has ended. */
export async function insertDeliveries(
  tx: Tx,
  execution: {
    readonly id: string;
    readonly tenantId: string;
    readonly projectId: string;
    readonly phase: ExecutionPhase;
  },
  deliveries: readonly PlannedDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = deliveries.map((delivery) => ({ id: newId(), ...delivery }));
  const { tenantId, projectId, id, phase } = execution;
  await run(insertStatement, [tenantId, projectId, id, phase, JSON.stringify(rows)], tx);
}

const dueStatement = statement<{ id: string }>(
  'select id from notification_deliveries where next_attempt_at <= now() order by next_attempt_at limit $1',
);

/** Deliveries whose next attempt is due, the earliest first. */
export async function listDueDeliveries(limit: number): Promise<string[]> {
  return (await run(dueStatement, [limit])).map((row) => row.id);
}

/** A delivery that this scheduler sends. */
export interface ClaimedDelivery extends DeliveryRow {
  readonly claimId: string;
  readonly content: object;
}

/** Longer than an attempt may take. If a scheduler dies meanwhile, the notification is sent again after this. */
const CLAIM_SECONDS = 60;

const claimStatement = statement<ClaimedDelivery>(
  `with free as (
     select id from notification_deliveries where id = $1::uuid and next_attempt_at <= now() for update skip locked
   ),
   delivery as (
     update notification_deliveries as claimed
        set claim_id = $2::uuid, next_attempt_at = now() + ${CLAIM_SECONDS} * interval '1 second'
       from free where claimed.id = free.id returning claimed.*
   )
   select ${columns}, delivery.claim_id as "claimId", delivery.content from delivery`,
);

/** Claims a delivery that is due. Null if it is not due (any more), or if another scheduler has it. */
export async function claimDelivery(id: string): Promise<ClaimedDelivery | null> {
  const [row] = await run(claimStatement, [id, newId()]);
  return row ?? null;
}

/** How many attempts the log of a delivery has. */
const MAX_LOG = 20;

const recordStatement = statement<{ id: string }>(
  `update notification_deliveries
      set state = $3::delivery_state, attempts = attempts + 1, claim_id = null, updated_at = now(),
          delivered_at = case when $3 = 'DELIVERED' then now() end,
          next_attempt_at = case when $3 = 'PENDING' then now() + $4 * interval '1 second' end,
          log = (select coalesce(jsonb_agg(entry order by number), '[]')
                   from (select entry, number from jsonb_array_elements(log || $5::jsonb)
                           with ordinality as entries(entry, number) order by number desc limit ${MAX_LOG}) as latest)
    where id = $1::uuid and claim_id = $2::uuid returning id`,
);

/** Stores how an attempt ended, if the claim is still valid. */
export async function recordAttempt(
  { id, claimId }: { readonly id: string; readonly claimId: string },
  state: DeliveryState,
  retrySeconds: number,
  attempt: DeliveryAttempt,
): Promise<void> {
  await run(recordStatement, [id, claimId, state, retrySeconds, JSON.stringify([attempt])]);
}

const redeliverStatement = statement<{ id: string }>(
  `with again as (
     update notification_deliveries
        set state = 'PENDING', attempts = 0, next_attempt_at = ${NOW}, delivered_at = null, updated_at = now()
      where id = $1::uuid and state <> 'PENDING' returning id
   )
   select id, ${notifySql('delivery', 'id')} from again`,
);

/** Lets a notification be sent again. @returns false if it is waiting already. */
export async function restartDelivery(id: string): Promise<boolean> {
  return (await run(redeliverStatement, [id])).length > 0;
}

import type { JobState } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { Pool } from './leases.ts';

/** The place of a gang in the order in which gangs are looked at. */
export interface GangPlace {
  readonly tenantId: string;
  readonly pool: string;
  readonly queueId: string;
  readonly gangId: string;
}

/** A gang of which at least one job waits. */
export interface WaitingGang extends GangPlace {
  /** How many of its jobs were submitted so far, and how many of these wait. */
  readonly submitted: number;
  readonly waiting: number;
  /** Whether a job of the gang has ended, also if the job was deleted since then. */
  readonly isBroken: boolean;
  /** The job that was the first to end and was not rejected; null if there is none. */
  readonly endedId: string | null;
  readonly endedState: JobState | null;
}

/**
 * How many of the submitted jobs of a gang have ended. Jobs that were deleted count, because only ended jobs are deleted.
 *
 * @param gang  the name of the row of the gang in the statement.
 */
export const endedOfGang = (gang: string): string =>
  `(${gang}.size - (select count(*)::int from jobs where jobs.gang_id = ${gang}.id and jobs.ended_at is null))`;

const nextGang = (scope: string, place: string) => `
  select next.*, gang.size from (
    select tenant_id, pool, queue_id, gang_id from jobs
     where ${scope} and state = 'QUEUED' and gang_id is not null and (tenant_id, pool, queue_id, gang_id) > (${place})
     order by tenant_id, pool, queue_id, gang_id limit 1) as next
    join gangs as gang on gang.id = next.gang_id`;

const afterLine = 'line.tenant_id, line.pool, line.queue_id, line.gang_id';

// The jobs of a gang are read all together. With a limit, PostgreSQL might go through the jobs of all other gangs.
const search = (scope: string) =>
  statement<WaitingGang>(
    `with recursive line as (
       (select next.*, 1 as number, next.size::bigint as looked
          from (${nextGang(scope, '$1::uuid, $2::text, $3::uuid, $4::uuid')}) as next)
       union all
       (select next.*, line.number + 1, line.looked + next.size
          from line cross join lateral (${nextGang(scope, afterLine)}) as next
         where line.number < $5 and line.looked < $6)
     )
     select line.tenant_id as "tenantId", line.pool, line.queue_id as "queueId", line.gang_id as "gangId",
            line.size as submitted, member.waiting, line.size > member.open as "isBroken",
            member."endedId", member."endedState"
       from line cross join lateral (
         select count(*) filter (where state = 'QUEUED')::int as waiting,
                count(*) filter (where ended_at is null) as open,
                (array_agg(id order by ended_at, id)
                   filter (where ended_at is not null and state <> 'REJECTED'))[1] as "endedId",
                (array_agg(state::text order by ended_at, id)
                   filter (where ended_at is not null and state <> 'REJECTED'))[1] as "endedState"
           from jobs where gang_id = line.gang_id) as member
      order by line.number`,
  );

const inPool = search('tenant_id = $1::uuid and pool = $2::text');
const everywhere = search('true');

const ZERO = '00000000-0000-0000-0000-000000000000';

/**
 * The next gangs of which a job waits: those of one pool in the order of their queues, or, without a pool, those of all
 * pools and tenants. After null, the list begins with the first gang.
 *
 * @param limits  it ends after so many gangs, and with the gang that brings the sum of their jobs to so many.
 */
export function listGangsThatWait(
  tx: Tx,
  pool: Pool | null,
  after: GangPlace | null,
  limits: { readonly gangs: number; readonly jobs: number },
): Promise<WaitingGang[]> {
  const first = { tenantId: pool?.tenantId ?? ZERO, pool: pool?.name ?? '', queueId: ZERO, gangId: ZERO };
  const { tenantId, pool: name, queueId, gangId } = after ?? first;
  const values = [tenantId, name, queueId, gangId, limits.gangs, limits.jobs];
  return run(pool ? inPool : everywhere, values, tx);
}

const membersStatement = statement<{ jobId: string; gangId: string }>(
  `select id as "jobId", gang_id as "gangId" from jobs
    where gang_id = any($1::uuid[]) and state = 'QUEUED' order by gang_id, id`,
);

/** The jobs of these gangs that wait. */
export function listWaitingMembers(
  tx: Tx,
  gangIds: readonly string[],
): Promise<{ jobId: string; gangId: string }[]> {
  return run(membersStatement, [gangIds], tx);
}

import type { NamedGrant } from '../../authorization/replace-grants.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { groupBy } from '../../platform/group-by.ts';

/** A grant on a queue, with the name of its user or group. */
interface RightRow {
  readonly queueId: string;
  readonly userId: string | null;
  readonly groupId: string | null;
  readonly name: string;
  readonly level: Level;
}

const columns = `
  queue.id as "queueId", granted.user_id as "userId", granted.group_id as "groupId",
  coalesce(person.username, team.name) as name, granted.level::text as level`;
const names = `
  left join users as person on person.id = granted.user_id
  left join groups as team on team.id = granted.group_id`;

/** How many users and groups of a queue are shown. */
export const MAX_SHOWN = 1000;

const rightsStatement = statement<RightRow>(
  `select ${columns} from unnest($2::uuid[]) as queue(id)
     cross join lateral (
       select * from grants
        where tenant_id = $1::uuid and resource_type = 'QUEUE' and resource_id = queue.id
          and level > 'NO_PERMISSIONS'
        order by level desc, id limit ${MAX_SHOWN}) as granted ${names}
    order by granted.level desc, coalesce(person.username_key, team.name_key) collate "C", granted.id`,
);

/** The users and groups with a level on each queue, highest level first, then by name; at most 1000 for each queue. */
export async function readRightsOfQueues(
  tenantId: string,
  queueIds: readonly string[],
): Promise<NamedGrant[][]> {
  const byQueue = groupBy(
    await run(rightsStatement, [tenantId, [...new Set(queueIds)]]),
    ({ queueId }) => queueId,
  );
  return queueIds.map((id) => (byQueue.get(id) ?? []).map(toGrant));
}

const lockStatement = statement<RightRow>(
  `select ${columns} from (select $2::uuid as id) as queue
     join grants as granted on granted.tenant_id = $1::uuid and granted.resource_type = 'QUEUE'
                           and granted.resource_id = queue.id ${names}
    order by granted.id for update of granted`,
);

/** All grants on a queue, which are locked until the transaction ends. Those with NO_PERMISSIONS are included. */
export async function lockGrantsOn(tx: Tx, tenantId: string, queueId: string): Promise<NamedGrant[]> {
  return (await run(lockStatement, [tenantId, queueId], tx)).map(toGrant);
}

function toGrant({ userId, groupId, name, level }: RightRow): NamedGrant {
  return { subject: userId === null ? { groupId: groupId ?? '', name } : { userId, name }, level };
}

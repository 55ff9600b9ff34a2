import { sql } from '../../platform/database/sql.ts';
import { query } from '../../platform/database/statement.ts';
import { nameKey } from '../../platform/text.ts';

/** The parts of a user or group that somebody needs to share a resource with it. */
export interface NamedGrantee {
  readonly id: string;
  readonly kind: 'USER' | 'GROUP';
  /** The user name of a user. */
  readonly name: string;
}

/** The active users and the groups of the tenant whose names begin with the prefix, by name, at most `limit`. */
export function listGrantees(tenantId: string, prefix: string, limit: number): Promise<NamedGrantee[]> {
  const start = nameKey(prefix);
  return query<NamedGrantee>(sql`
    select id, kind, name from (
      select id, 'USER' as kind, username as name, username_key as key from users
       where tenant_id = ${tenantId}::uuid and disabled_at is null and starts_with(username_key, ${start})
       union all
      select id, 'GROUP', name, name_key from groups
       where tenant_id = ${tenantId}::uuid and starts_with(name_key, ${start})
    ) as grantee
    order by key collate "C", kind, id limit ${limit}`);
}

import type { AuditEvent } from '../../generated/prisma/client.ts';
import type { AuditOutcome } from '../../generated/prisma/enums.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';

/** Which events a list shows; null is no limit. */
export interface AuditFilter {
  /** Of an actor by its id, or by the name that it had where nobody of that name is there any more. */
  readonly actorId: string | null;
  readonly actorName: string | null;
  /** `permission:grant`, or the noun alone for all about it. */
  readonly action: string | null;
  readonly outcome: AuditOutcome | null;
  readonly targetType: string | null;
  readonly targetId: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly credentialId: string | null;
}

interface AuditPage {
  readonly limit: number;
  readonly backward: boolean;
  readonly from: readonly string[] | null;
}

const columns = `
  id, tenant_id as "tenantId", created_at as "createdAt", actor_id as "actorId", actor_name as "actorName",
  real_actor_id as "realActorId", real_actor_name as "realActorName", credential_id as "credentialId", address, action,
  outcome::text as outcome, code, target_type as "targetType", target_id as "targetId", target_name as "targetName",
  before, after, count`;

/** Conditions by the filter's field, `$` the place of its value. Only those that are asked stand in the statement. */
const conditions: Readonly<Record<string, string>> = {
  actorId: 'actor_id = $::uuid',
  actorName: 'actor_name = $',
  exactAction: 'action = $',
  noun: `action like $ || ':%'`,
  outcome: 'outcome = $::text::audit_outcome',
  targetType: 'target_type = $',
  targetId: 'target_id = $',
  since: 'created_at >= $::timestamptz',
  until: 'created_at < $::timestamptz',
  credentialId: 'credential_id = $::uuid',
};

/** The tenant's events, newest first; up to one more than the page. */
export async function listAuditEvents(
  tenantId: string,
  { action, ...filter }: AuditFilter,
  page: AuditPage,
): Promise<AuditEvent[]> {
  const isExact = action?.includes(':') ?? false;
  const asked: Record<string, Value> = {
    ...filter,
    exactAction: isExact ? action : null,
    // What a caller writes stands for itself: `%` and `_` are no nouns.
    noun: action && !isExact ? action.replaceAll(/[\\%_]/g, '\\$&') : null,
  };
  const values: Value[] = [tenantId];
  const parts = ['tenant_id = $1::uuid'];
  for (const [field, condition] of Object.entries(conditions)) {
    const value = asked[field] ?? null;
    if (value === null) continue;
    values.push(value);
    parts.push(condition.replace('$', `$${values.length}`));
  }
  const [beyond, direction] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  values.push(page.from?.[0] ?? null, page.limit + 1);
  parts.push(`($${values.length - 1}::uuid is null or id ${beyond} $${values.length - 1}::uuid)`);
  const list = statement<AuditEvent>(
    `select ${columns} from audit_events where ${parts.join(' and ')} order by id ${direction} limit $${values.length}`,
  );
  return await run(list, values);
}

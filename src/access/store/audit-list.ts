import type { AuditEvent } from '../../generated/prisma/client.ts';
import type { AuditOutcome } from '../../generated/prisma/enums.ts';
import { lastIdFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list } from '../../platform/database/statement.ts';
import type { ObjectKind } from '../../platform/object-kinds.ts';

/** Which events a list shows; null means no condition. */
export interface AuditFilter {
  /** The actor, by id, or by the name in the log if no user has this name any more. */
  readonly actorId: string | null;
  readonly actorName: string | null;
  /** An action such as `permission:grant`, or a noun such as `permission` for all its actions. */
  readonly action: string | null;
  readonly outcome: AuditOutcome | null;
  readonly targetType: ObjectKind | null;
  readonly targetId: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly credentialId: string | null;
}

/** A row of the log. */
export type AuditEventRow = Omit<AuditEvent, 'targetType'> & { readonly targetType: ObjectKind | null };

const columns = `
  id, tenant_id as "tenantId", created_at as "createdAt", actor_id as "actorId", actor_name as "actorName",
  real_actor_id as "realActorId", real_actor_name as "realActorName", credential_id as "credentialId", client_id as "clientId",
  address, action,
  outcome::text as outcome, code, target_type as "targetType", target_id as "targetId", target_name as "targetName",
  before, after, count`;

/** `%` and `_` in a caller's text have no special meaning. */
const escapeLike = (text: string) => text.replaceAll(/[\\%_]/g, '\\$&');

function isOfAction(action: string): Sql {
  return action.includes(':') ? sql`action = ${action}` : sql`action like ${`${escapeLike(action)}:%`}`;
}

/** The newest event first. */
export const auditOrder = lastIdFirst('event');

/** The rows of a list. */
function eventsOf(tenantId: string, filter: AuditFilter): Rows {
  const { actorId, actorName, action, outcome, targetType, targetId, since, until, credentialId } = filter;
  const from = sql`audit_events as event where tenant_id = ${tenantId}::uuid
      ${actorId === null ? nothing : sql`and actor_id = ${actorId}::uuid`}
      ${actorName === null ? nothing : sql`and actor_name = ${actorName}`}
      ${action ? sql`and ${isOfAction(action)}` : nothing}
      ${outcome === null ? nothing : sql`and outcome = ${outcome}::text::audit_outcome`}
      ${targetType === null ? nothing : sql`and target_type = ${targetType}`}
      ${targetId === null ? nothing : sql`and target_id = ${targetId}`}
      ${since === null ? nothing : sql`and created_at >= ${since}::timestamptz`}
      ${until === null ? nothing : sql`and created_at < ${until}::timestamptz`}
      ${credentialId === null ? nothing : sql`and credential_id = ${credentialId}::uuid`}`;
  return { from };
}

/** The events of the tenant, newest first: one page, and one more row if there is one. */
export const listAuditEvents = (tenantId: string, filter: AuditFilter, page: Page) =>
  list<AuditEventRow>(eventsOf(tenantId, filter), raw(columns), auditOrder, page);

/** The number of these events. It is read only if a query asks for it. */
export const countAuditEvents = (tenantId: string, filter: AuditFilter) => count(eventsOf(tenantId, filter));

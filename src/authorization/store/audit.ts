import type { AuditOutcome } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { ObjectKind } from '../../platform/object-kinds.ts';

export interface AuditRow {
  readonly id: string;
  readonly tenantId: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly realActorId: string | null;
  readonly realActorName: string | null;
  readonly credentialId: string | null;
  readonly clientId: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly code: string | null;
  readonly targetType: ObjectKind | null;
  readonly targetId: string | null;
  readonly targetName: string | null;
  readonly before: object | null;
  readonly after: object | null;
  readonly count: number;
}

const insertRows = `
  insert into audit_events (id, tenant_id, actor_id, actor_name, real_actor_id, real_actor_name, credential_id,
                            client_id, address, action, outcome, code, target_type, target_id, target_name, before, after,
                            count)
  select id, "tenantId", "actorId", "actorName", "realActorId", "realActorName", "credentialId", "clientId", address,
         action, outcome, code, "targetType", "targetId", "targetName", before, after, count
    from jsonb_to_recordset($1::jsonb) as made(
           id uuid, "tenantId" uuid, "actorId" uuid, "actorName" text, "realActorId" uuid, "realActorName" text,
           "credentialId" uuid, "clientId" text, address text, action text, outcome audit_outcome, code text,
           "targetType" text, "targetId" text, "targetName" text, before jsonb, after jsonb, count int)`;

const insertAuditStatement = statement<Record<string, never>>(insertRows);

/** Writes a change to the audit log, in the transaction of the change. */
export async function insertAuditEvents(rows: readonly AuditRow[], tx: Tx): Promise<void> {
  await run(insertAuditStatement, [JSON.stringify(rows)], tx);
}

const insertDenialsStatement = statement<Record<string, never>>(
  `/* behind the answers */ ${insertRows} on conflict (id) do nothing`,
);

/** Writes refusals to the audit log, after the answers were sent. Rows that were already written do not change. */
export async function insertDenials(rows: readonly AuditRow[]): Promise<void> {
  await run(insertDenialsStatement, [JSON.stringify(rows)]);
}

import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

const revokeSessionStatement = statement<{ sessionId: string }>(
  `insert into revoked_sessions (session_id, tenant_id, user_id, expires_at)
   values ($1::uuid, $2::uuid, $3::uuid, $4::timestamptz)
   on conflict (session_id) do nothing returning session_id as "sessionId"`,
);

export interface Session {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  /** When the token of the session would expire by itself. */
  readonly endsAt: Date;
}

/** Ends a session. @returns false if it had already ended. */
export async function revokeSession(tx: Tx, { id, tenantId, userId, endsAt }: Session): Promise<boolean> {
  return (await run(revokeSessionStatement, [id, tenantId, userId, endsAt], tx)).length > 0;
}

const sessionStatement = statement<{ isRevoked: boolean }>(
  'select exists (select from revoked_sessions where session_id = $1::uuid) as "isRevoked"',
);

export async function isSessionRevoked(sessionId: string): Promise<boolean> {
  const [row] = await run(sessionStatement, [sessionId]);
  return Boolean(row?.isRevoked);
}

const sweepSessionsStatement = statement<Record<string, never>>(
  `/* behind the answers */ delete from revoked_sessions where session_id in (
     select session_id from revoked_sessions where expires_at < now() order by expires_at limit 10000
   )`,
);

/** Deletes ended sessions whose tokens have expired since, at most 10,000 at a time. */
export async function sweepRevokedSessions(): Promise<void> {
  await run(sweepSessionsStatement, []);
}

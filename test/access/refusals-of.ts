import { flushDenials } from '../../src/authorization/audit.ts';
import { db } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';

/** The refusals of an actor in the audit log, oldest first. */
export async function refusalsOf(actorId: string): Promise<Answer[]> {
  await flushDenials();
  const rows = await db.auditEvent.findMany({
    where: { actorId, outcome: 'DENIED' },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ action, code, targetType, targetId, targetName }) => ({
    ...{ action, code, type: targetType, id: targetId, name: targetName },
  }));
}

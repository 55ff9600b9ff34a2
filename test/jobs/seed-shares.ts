/** Shares of queues, as the scheduler would have stored them. */
import { db } from '../../src/platform/database/client.ts';
import { homeTenant } from '../support/users.ts';

const MINUTE_MS = 60_000;

/**
 * The shares of all queues in a pool: some of the last hour, and the last ones of a moment so far ahead that no
 * scheduler takes others meanwhile.
 */
export async function seedShares(): Promise<void> {
  const tenantId = await homeTenant();
  const pool = 'seeded';
  const now = Date.now();
  const lastSampleAt = new Date(now + 60 * MINUTE_MS);
  await db.poolRound.create({ data: { tenantId, pool, lastSampleAt } });
  const queues = await db.queue.findMany({ where: { tenantId } });
  const moments = [lastSampleAt, ...[1, 2, 3, 4].map((minutes) => new Date(now - 5 * minutes * MINUTE_MS))];
  const shares = { fairShare: 0.5, adjustedShare: 0.5, actualShare: 0.5, demand: 1 };
  await db.queueShareSample.createMany({
    data: queues.flatMap(({ id: queueId }) =>
      moments.map((takenAt) => ({ tenantId, pool, queueId, takenAt, ...shares })),
    ),
  });
}

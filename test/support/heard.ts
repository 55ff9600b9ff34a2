/** The news between processes that the database sends. */
import { onTestFinished } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { CHANNEL } from '../../src/platform/database/topics.ts';
import { newId } from '../../src/platform/ids.ts';
import { eventually } from './waiting.ts';

/** What every process hears while `work` runs. */
export async function heard(work: () => Promise<unknown>): Promise<string[]> {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  const news: string[] = [];
  client.on('notification', ({ payload }) => news.push(payload ?? ''));
  await client.query(`listen ${CHANNEL}`);
  await work();
  const last = newId();
  await pool.query('select pg_notify($1, $2)', [CHANNEL, last]);
  await eventually(
    () => news,
    (all) => all.includes(last),
  );
  return news.filter((one) => one !== last);
}

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../../src/platform/database/client.ts';
import { newsOf } from '../../../src/platform/database/news.ts';
import { Notifications, notifications } from '../../../src/platform/database/notify.ts';
import { stopClocks } from '../../support/clock.ts';
import { eventually } from '../../support/waiting.ts';

const heard: string[] = [];
beforeAll(async () => {
  await notifications.start();
  notifications.on('pool', null, (id) => heard.push(id));
});
afterAll(() => notifications.close());

const notify = (news: string) => pool.query("select pg_notify('slipway', $1)", [news]);
/** Sends the news, and waits until this process has heard it. */
async function tell(id: string): Promise<void> {
  const before = heard.length;
  await notify(`pool:${id}`);
  await eventually(
    () => heard.length,
    (count) => count > before,
  );
}
const isOver = (wait: Promise<void>) =>
  Promise.race([
    wait.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
const never = new AbortController().signal;
const LIMIT_MS = 1_000_000;

describe('news of one thing', () => {
  it('ends a wait, which news of other things does not', async () => {
    const news = newsOf('pool', 'a', never);
    const wait = news.next(LIMIT_MS);
    await tell('b');
    await notify('executor:a');
    await tell('b');
    expect(await isOver(wait)).toBe(false);
    await tell('a');
    await wait;
    news.close();
  });

  it('ends the next wait if it came before, and only that one', async () => {
    const news = newsOf('pool', 'a', never);
    await tell('a');
    expect(await isOver(news.next(LIMIT_MS))).toBe(true);
    const wait = news.next(LIMIT_MS);
    expect(await isOver(wait)).toBe(false);
    await tell('a');
    await wait;
    const last = news.next(LIMIT_MS);
    expect(await isOver(last)).toBe(false);
    await tell('a');
    news.close();
  });

  it('need not come: a wait also ends when its time is over', async () => {
    const news = newsOf('pool', 'a', never);
    stopClocks('setTimeout', 'clearTimeout');
    const wait = news.next(LIMIT_MS);
    vi.advanceTimersByTime(LIMIT_MS - 1);
    expect(await isOver(wait)).toBe(false);
    vi.advanceTimersByTime(1);
    await wait;
    news.close();
  });

  it('need not come: a wait also ends when its signal fires, and does not begin after that', async () => {
    const stop = new AbortController();
    const news = newsOf('pool', 'a', stop.signal);
    const wait = news.next(LIMIT_MS);
    expect(await isOver(wait)).toBe(false);
    stop.abort();
    await wait;
    for (const ended of [news, newsOf('pool', 'a', AbortSignal.abort())]) {
      expect(await isOver(ended.next(LIMIT_MS))).toBe(true);
      expect(await isOver(ended.next(LIMIT_MS))).toBe(true);
      ended.close();
    }
  });

  it('may be lost with the connection, so all waits end, and the listener connects again', async () => {
    const news = newsOf('pool', 'a', never);
    const wait = news.next(LIMIT_MS);
    await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'slipway-listen' and datname = current_database()`);
    await wait;
    const next = news.next(LIMIT_MS);
    await tell('a');
    await next;
    news.close();
  });
});

describe('a listener that is closed', () => {
  it('does not connect again', async () => {
    const own = new Notifications();
    await own.start();
    await own.close();
    await own.close();
  });
});

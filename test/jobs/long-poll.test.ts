/** How long a call of an executor waits, on a clock that only its waits move. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LeaseAnswer, leaseJobs } from '../../src/jobs/commands/lease-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { Stage } from './stage.ts';

const waits: number[] = [];
let onWait = () => {};
vi.mock('../../src/platform/database/news.ts', () => ({
  newsOf: () => ({
    next: async (limitMs: number) => {
      if (waits.push(limitMs) > 100) throw new Error('it waits for ever');
      vi.setSystemTime(Date.now() + limitMs);
      onWait();
    },
    close: () => {},
  }),
}));

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());

/** @returns how long the call waited, in milliseconds. */
async function poll(
  options: { waitMs: number; leaseSeconds?: number; knownRuns?: string[]; stoppingRuns?: string[] },
  signal = new AbortController().signal,
): Promise<{ waited: number; answer: LeaseAnswer }> {
  const { leaseSeconds = 3600, knownRuns = [], stoppingRuns = [], waitMs } = options;
  stopClocks('Date');
  waits.length = 0;
  const request = {
    executor: 'poller',
    instance: null,
    isLast: false,
    pool: 'default',
    nodes: [],
    maxJobs: 0,
  };
  const answer = await leaseJobs(
    systemCaller(stage.tenantId, stage.userId),
    { ...request, knownRuns, stoppingRuns, waitMs },
    { leaseSeconds, signal },
  );
  return { waited: waits.reduce((sum, wait) => sum + wait, 0), answer };
}

describe('a long poll without news', () => {
  it.each([
    ['not at all when that is asked for', 0, 3600, 0],
    ['as long as asked', 12_000, 3600, 12_000],
    ['at most 30 seconds', 60_000, 3600, 30_000],
    ['at most a third of a lease', 60_000, 60, 20_000],
  ])('waits %s', async (_what, waitMs, leaseSeconds, waited) => {
    expect((await poll({ waitMs, leaseSeconds })).waited).toBe(waited);
  });

  it('looks at the tables every five seconds, because news may be lost', async () => {
    await poll({ waitMs: 12_000 });
    expect(waits).toEqual([5000, 5000, 2000]);
  });

  it('ends when its caller has gone', async () => {
    const gone = new AbortController();
    onWait = () => gone.abort();
    const { waited } = await poll({ waitMs: 30_000 }, gone.signal);
    onWait = () => {};
    expect(waited).toBeLessThan(30_000);
  });

  it('does not wait when a run must be stopped, but waits when it is being stopped', async () => {
    const run = newId();
    const knownRuns = [run];
    expect(await poll({ waitMs: 9000, knownRuns })).toMatchObject({
      waited: 0,
      answer: { cancelRuns: [run] },
    });
    expect((await poll({ waitMs: 9000, knownRuns, stoppingRuns: [run] })).waited).toBe(9000);
  });
});

/** Queues whose jobs wait. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { heard } from '../support/heard.ts';
import { mutate } from '../support/mutate.ts';
import { newUser } from '../support/users.ts';
import { jobOf, newJob, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(async () => {
  await stage.clear();
  await uncordon();
});

const fields = 'queue { cordoned cordonReason }';
const by = () => ({ by: { id: stage.queueId } });
const cordon = (reason?: string) =>
  mutate(app, 'cordonQueue', { ...by(), ...(reason ? { reason } : {}) }, fields);
const uncordon = () => mutate(app, 'uncordonQueue', by(), fields);

describe('cordonQueue', () => {
  it('lets jobs wait that come before and after it, and uncordonQueue lets them start', async () => {
    const hands = new Hands(app, 'cordoned');
    await hands.lease({ maxJobs: 5, wait: 'PT0S' });
    await stage.submit(newJob());
    expect((await cordon('maintenance')).queue).toEqual({ cordoned: true, cordonReason: 'maintenance' });
    const { ids } = await stage.submit(newJob());
    expect(ids).toHaveLength(1);
    expect((await stage.assign()).assigned).toBe(0);
    expect((await uncordon()).queue).toEqual({ cordoned: false, cordonReason: null });
    expect((await stage.assign()).assigned).toBe(2);
  });

  it('leaves jobs alone that an executor has', async () => {
    const { hands, runs } = await stage.lease('running');
    const [run] = runs;
    if (!run) throw new Error('no run');
    await cordon();
    await hands.start(run);
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).cancelRuns).toEqual([]);
    await hands.succeed(run, {});
    expect(await jobOf(run)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('can be repeated, and then gives the new reason', async () => {
    await cordon('one');
    const before = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    expect((await cordon('one')).queue).toEqual({ cordoned: true, cordonReason: 'one' });
    expect(await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } })).toEqual(before);
    expect((await cordon()).queue).toEqual({ cordoned: true, cordonReason: null });
  });

  it('refuses a reason of more than 512 characters', async () => {
    expect(await cordon('x'.repeat(513))).toMatchObject({ problems: [{ path: ['input', 'reason'] }] });
    expect((await cordon('x'.repeat(512))).queue.cordonReason).toHaveLength(512);
  });

  it('requires MANAGE, as uncordonQueue does', async () => {
    const grants = (level: 'EDIT' | 'MANAGE') => [{ type: 'QUEUE' as const, id: stage.queueId, level }];
    const [editor, owner] = [
      await newUser({ grants: grants('EDIT') }),
      await newUser({ grants: grants('MANAGE') }),
    ];
    for (const field of ['cordonQueue', 'uncordonQueue']) {
      expect((await mutate(app, field, by(), fields, editor.authorization)).refused).toBe(
        'PERMISSION_DENIED',
      );
      expect((await mutate(app, field, by(), fields, owner.authorization)).queue).toBeTruthy();
    }
  });
});

describe('a queue that may start more', () => {
  /** The pools that are told during `work`. */
  async function woken(work: () => Promise<unknown>): Promise<string[]> {
    const pools = (await heard(work)).filter((news) => news.startsWith('pool:'));
    return pools.map((news) => news.split('/')[1] ?? '').sort();
  }

  it('wakes the pools in which its jobs wait, single ones and gangs, and no other pool', async () => {
    const other = await Stage.open(app);
    await other.submit(newJob({ pool: 'foreign' }));
    const gang = { name: 'pair', cardinality: 2, uniformityLabel: null };
    await cordon();
    await stage.submit(newJob({ pool: 'a' }), newJob({ pool: 'b' }));
    await stage.submit(newJob({ pool: 'c', gang }), newJob({ pool: 'c', gang }));
    // The news of the submissions may still be on its way.
    await woken(async () => {});
    expect(await woken(uncordon)).toEqual(['a', 'b', 'c']);
    expect(await woken(uncordon)).toEqual([]);
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    expect(await woken(() => mutate(app, 'updateQueue', { name }))).toEqual(['a', 'b', 'c']);
    expect(await woken(cordon)).toEqual([]);
  });
});

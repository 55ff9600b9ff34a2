/** Executors and machines that get no new work. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { notifications } from '../../src/platform/database/notify.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { FleetExecutor, node } from './fleet.ts';
import { PlainQueue } from './plain-jobs.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

let queue: PlainQueue;
let fleet: FleetExecutor;
beforeEach(async () => {
  queue = await PlainQueue.open(app);
  const nodes = [node('a', '2'), node('b', '2')];
  fleet = new FleetExecutor(app, `fleet-${queue.name.slice(-12)}`, { nodes, pool: queue.pool });
  await fleet.call();
});

const assign = async () => (await queue.stage.assign(queue.pool)).assigned;
const settings =
  'settings { name cordoned cordonReason updatedBy { username } executor { cordoned cordonedBy { username } } }';
const set = (input: object, authorization?: string) =>
  mutate(app, 'upsertExecutorSettings', { name: fleet.name, ...input }, settings, authorization);
const cordon = (cordonReason = 'maintenance') => set({ cordoned: true, cordonReason });
const uncordon = () => set({ cordoned: false });
const ofNode = (name = 'a') => ({ executor: fleet.name, node: name });
const onNode = 'node { name cordoned cordonReason cordonedAt cordonedBy { username } }';
const cordonNode = (reason = 'hot', name = 'a') =>
  mutate(app, 'cordonNode', { ...ofNode(name), reason }, onNode);
const uncordonNode = (name = 'a') => mutate(app, 'uncordonNode', ofNode(name), onNode);

/** What the audit log says about this executor or node, oldest first. */
async function audited(targetName: string) {
  const rows = await db.auditEvent.findMany({
    where: { action: 'executor:administer', outcome: 'DONE', targetName },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ actorName, targetType, before, after }) => ({ actorName, targetType, before, after }));
}

describe('upsertExecutorSettings', () => {
  it('lets an executor get nothing new, while its runs go on, until it is opened again', async () => {
    await queue.submit([{}]);
    expect(await assign()).toBe(1);
    await fleet.call();
    expect(await cordon()).toEqual({
      __typename: 'UpsertExecutorSettingsPayload',
      settings: {
        ...{
          name: fleet.name,
          cordoned: true,
          cordonReason: 'maintenance',
          updatedBy: { username: 'admin' },
        },
        executor: { cordoned: true, cordonedBy: { username: 'admin' } },
      },
    });
    await queue.submit([{}], 'later');
    expect(await assign()).toBe(0);
    const { runs, cancelRuns } = await fleet.call();
    expect([runs, cancelRuns, fleet.known.size]).toEqual([[], [], 1]);
    expect((await uncordon()).settings).toMatchObject({
      ...{ cordoned: false, cordonReason: null },
      executor: { cordoned: false, cordonedBy: null },
    });
    expect(await assign()).toBe(1);
  });

  it('leaves the work to other executors of the pool', async () => {
    await cordon();
    const other = new FleetExecutor(app, `other-${fleet.name}`.slice(0, 40), {
      nodes: [node('a', '2')],
      pool: queue.pool,
    });
    await other.call();
    await queue.submit([{}, {}, {}]);
    expect(await assign()).toBe(2);
    expect((await other.call()).runs).toHaveLength(2);
    expect((await fleet.call()).runs).toHaveLength(0);
  });

  it('counts for an executor that calls for the first time later', async () => {
    const name = `late-${fleet.name}`.slice(0, 40);
    expect((await set({ name, cordoned: true, cordonReason: 'new' })).settings).toMatchObject({
      ...{ name, executor: null },
    });
    await cordon();
    await new FleetExecutor(app, name, { nodes: [node('a')], pool: queue.pool }).call();
    await queue.submit([{}]);
    expect(await assign()).toBe(0);
  });

  it('is in the audit log with who, what and why; a repetition is not', async () => {
    await cordon('one');
    await cordon('one');
    await cordon('two');
    await uncordon();
    await uncordon();
    const shut = (cordonReason: string) => ({ cordoned: true, cordonReason });
    const open = { cordoned: false, cordonReason: null };
    const states = [open, shut('one'), shut('two'), open];
    expect(await audited(fleet.name)).toEqual(
      states.slice(1).map((after, at) => ({
        ...{ actorName: 'admin', targetType: 'executor', before: states[at], after },
      })),
    );
  });

  it.each([
    ['a cordon without a reason', { cordoned: true }, 'cordonReason'],
    ['a cordon with an empty reason', { cordoned: true, cordonReason: ' ' }, 'cordonReason'],
    ['a long reason', { cordoned: true, cordonReason: 'x'.repeat(513) }, 'cordonReason'],
    ['a reason without a cordon', { cordoned: false, cordonReason: 'x' }, 'cordonReason'],
    ['a name that no executor can have', { name: 'No', cordoned: false }, 'name'],
  ])('refuses %s', async (_what, input, field) => {
    expect(await set(input)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', problems: [{ path: ['input', field] }] },
    });
  });

  it('accepts a reason of 512 characters', async () => {
    expect((await cordon('x'.repeat(512))).settings.cordonReason).toHaveLength(512);
  });

  it('requires ADMIN, and does not reach other tenants', async () => {
    const superuser = await newCaller({ role: 'SUPERUSER', level: 'MANAGE' });
    const input = { cordoned: true, cordonReason: 'x' };
    expect((await set(input, superuser)).refused).toBe('PERMISSION_DENIED');
    const stranger = await newCaller({ role: 'ADMIN', tenantId: await newTenant(`cordon-${queue.name}`) });
    expect((await set(input, stranger)).settings).toMatchObject({ cordoned: true, executor: null });
    await queue.submit([{}]);
    expect(await assign()).toBe(1);
  });

  it('ends in one of the states that are asked for at the same time, and records each change once', async () => {
    await cordon('zero');
    await Promise.all(['one', 'two', 'one', 'two', 'one'].map((reason) => cordon(reason)));
    const stored = await db.executorSettings.findMany({ where: { name: fleet.name } });
    expect(stored).toHaveLength(1);
    const log = await audited(fleet.name);
    expect(log.at(-1)?.after).toEqual({ cordoned: true, cordonReason: stored[0]?.cordonReason });
    for (const [at, { before }] of log.entries()) if (at > 0) expect(before).toEqual(log[at - 1]?.after);
  });
});

describe('cordonNode', () => {
  const liveRuns = async () => {
    const jobs = await db.job.findMany({ where: { queueId: queue.id }, select: { id: true } });
    return await db.jobRun.findMany({ where: { jobId: { in: jobs.map(({ id }) => id) }, endedAt: null } });
  };

  it('lets a machine get nothing new, while its runs go on, until uncordonNode opens it again', async () => {
    await queue.submit([{}]);
    await assign();
    const [before] = await liveRuns();
    const used = before?.node ?? '';
    expect(await cordonNode('hot', used)).toMatchObject({
      node: { name: used, cordoned: true, cordonReason: 'hot', cordonedBy: { username: 'admin' } },
    });
    await queue.submit([{}, {}, {}], 'later');
    expect(await assign()).toBe(2);
    const runs = await liveRuns();
    expect(runs.filter((run) => run.node === used)).toHaveLength(1);
    expect((await fleet.call()).cancelRuns).toEqual([]);
    expect((await uncordonNode(used)).node).toEqual({
      ...{ name: used, cordoned: false, cordonReason: null, cordonedAt: null, cordonedBy: null },
    });
    expect(await assign()).toBe(1);
  });

  it('is about one executor: another one may have a machine with the same name', async () => {
    const other = new FleetExecutor(app, `same-${fleet.name}`.slice(0, 40), {
      nodes: [node('a', '2')],
      pool: queue.pool,
    });
    await other.call();
    await cordonNode('hot', 'a');
    await cordonNode('hot', 'b');
    await queue.submit([{}, {}]);
    expect(await assign()).toBe(2);
    expect((await other.call()).runs).toHaveLength(2);
    const { data } = await app.ask(
      '{ executors { edges { node { name nodes { edges { node { name cordoned } } } } } } }',
    );
    const cordonedOf = (name: string) =>
      data.executors.edges
        .filter((edge: Answer) => edge.node.name === name)
        .flatMap((edge: Answer) => edge.node.nodes.edges.map((one: Answer) => one.node.cordoned));
    expect([cordonedOf(other.name), cordonedOf(fleet.name)]).toEqual([[false], [true, true]]);
  });

  it('lasts while the machine is away', async () => {
    await cordonNode('hot', 'a');
    const nodes = fleet.nodes.splice(0, 1);
    await fleet.call();
    fleet.nodes.push(...nodes);
    await fleet.call();
    await queue.submit([{}, {}, {}]);
    expect(await assign()).toBe(2);
    fleet.nodes.pop();
    await fleet.call();
    expect(await uncordonNode('a')).toEqual({ __typename: 'UncordonNodePayload', node: null });
    fleet.nodes.push(...nodes);
    await fleet.call();
    expect(await assign()).toBe(1);
  });

  it('is in the audit log with who, what and why; a repetition is not', async () => {
    await cordonNode('one');
    await cordonNode('one');
    await cordonNode('two');
    await uncordonNode();
    await uncordonNode();
    const reasons = [null, 'one', 'two', null];
    expect(await audited(`${fleet.name}/a`)).toEqual(
      reasons.slice(1).map((cordonReason, at) => ({
        ...{ actorName: 'admin', targetType: 'node' },
        ...{ before: { cordonReason: reasons[at] }, after: { cordonReason } },
      })),
    );
  });

  it('does not find an unknown machine or executor, and refuses a bad reason', async () => {
    expect(await cordonNode('hot', 'z')).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'node'] });
    const nobody = { executor: 'nobody', node: 'a' };
    for (const [field, input] of [
      ['cordonNode', { ...nobody, reason: 'x' }],
      ['uncordonNode', nobody],
    ] as const)
      expect((await mutate(app, field, input)).refused).toBe('NOT_FOUND');
    for (const reason of ['', ' ', 'x'.repeat(513)])
      expect(await cordonNode(reason)).toMatchObject({ problems: [{ path: ['input', 'reason'] }] });
  });

  it('requires ADMIN, as uncordonNode does', async () => {
    const { authorization } = await newUser({ role: 'SUPERUSER', level: 'MANAGE' });
    const input = { ...ofNode(), reason: 'x' };
    expect((await mutate(app, 'cordonNode', input, '', authorization)).refused).toBe('PERMISSION_DENIED');
    expect((await mutate(app, 'uncordonNode', ofNode(), '', authorization)).refused).toBe(
      'PERMISSION_DENIED',
    );
    const elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant(`nodes-${queue.name}`) });
    expect((await mutate(app, 'cordonNode', input, '', elsewhere)).refused).toBe('NOT_FOUND');
  });
});

describe('an opened executor or machine', () => {
  it('wakes the assigner of its pool', async () => {
    const woken: string[] = [];
    const stop = notifications.on('pool', null, (id) => woken.push(id));
    const id = `${queue.stage.tenantId}/${queue.pool}`;
    /** What has woken assigners since the last call. */
    const news = async () => {
      await pool.query(`select pg_notify('slipway', 'pool:marker')`);
      await eventually(
        () => woken,
        (ids) => ids.includes('marker'),
      );
      return woken.splice(0).filter((one) => one !== 'marker');
    };
    try {
      await news();
      await cordon();
      await cordonNode();
      expect(await news()).toEqual([]);
      await uncordon();
      expect(await news()).toEqual([id]);
      await uncordonNode();
      expect(await news()).toEqual([id]);
    } finally {
      stop();
    }
  });
});

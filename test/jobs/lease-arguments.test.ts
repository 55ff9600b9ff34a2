/** What an executor may say in a call, and what the server makes of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { newTenant } from '../support/users.ts';
import { leaseAs, newJob, newService, retire, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const ids = (count: number) => Array.from({ length: count }, newId);

describe('leaseJobs', () => {
  it.each([
    ['no more jobs', { maxJobs: 0 }],
    ['100 more jobs', { maxJobs: 100, pool: 'elsewhere' }],
    ['2500 known runs', { knownRuns: ids(2500) }],
    ['machines', { nodes: [{ name: 'm1', allocatable: { cpu: '8' } }] }],
  ])('accepts %s', async (_what, input) => {
    expect(await leaseAs(app, input)).toMatchObject({ __typename: 'LeaseJobsPayload' });
  });

  it.each([
    ['less than no jobs', { maxJobs: -1 }, 'maxJobs'],
    ['more than 100 jobs', { maxJobs: 101 }, 'maxJobs'],
    ['2501 known runs', { knownRuns: ids(2501) }, 'knownRuns'],
    ['a pool that is no label', { pool: 'GPU pool' }, 'pool'],
    ['a wait that is negative', { wait: '-PT1S' }, 'wait'],
    ['runs to stop that it does not know', { stoppingRuns: ids(1) }, 'stoppingRuns'],
  ])('refuses %s', async (_what, input, field) => {
    expect(await leaseAs(app, input)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', field],
    });
  });

  it('takes null for a field that is left out', async () => {
    const nothing = { isLast: null, pool: null, nodes: null, stoppingRuns: null, wait: null };
    const input = { executor: 'brief', instance: newId(), ...nothing };
    expect(await leaseAs(app, input)).toMatchObject({ __typename: 'LeaseJobsPayload' });
    const stored = await db.executor.findFirstOrThrow({ where: { name: 'brief' } });
    expect(stored).toMatchObject({ pool: 'default', nodes: [], instanceId: input.instance });
    expect(await leaseAs(app, { ...input, instance: newId() })).toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
  });

  it('keeps the machines of the last call', async () => {
    const nodes = [{ name: 'm1', allocatable: { cpu: '8' } }];
    await leaseAs(app, { executor: 'machines', nodes });
    expect(await db.executor.findFirstOrThrow({ where: { name: 'machines' } })).toMatchObject({ nodes });
  });

  it('answers how long leases last, and how long the run may take and has to end', async () => {
    await stage.submit(newJob({ activeDeadlineSeconds: 90 }), newJob());
    await leaseAs(app, { maxJobs: 2 });
    await stage.assign();
    const { runs, leaseDuration } = await leaseAs(app, {});
    expect(leaseDuration).toBe('PT1M');
    expect(runs).toMatchObject([
      { activeDeadline: 'PT1M30S', terminationGrace: 'PT1S' },
      { activeDeadline: null, terminationGrace: 'PT1S' },
    ]);
    await leaseAs(app, { knownRuns: runs.map(({ id }: { id: string }) => id) });
  });

  it('does not answer a run again after the executor has named it once', async () => {
    const { hands } = await stage.lease('forgetful');
    hands.known.clear();
    expect((await retire(hands)).runs).toEqual([]);
  });

  it('counts only runs that have not ended among those that the executor has', async () => {
    const { hands, runs } = await stage.lease('honest');
    for (const run of runs) {
      await hands.succeed(run, {});
      hands.known.add(run.id);
    }
    await stage.submit(newJob(), newJob());
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    expect((await stage.assign()).assigned).toBe(1);
  });

  it('says whether another process or another service account has the name', async () => {
    const tenantId = await newTenant('crowded');
    const [one, other] = [await newService(tenantId), await newService(tenantId)];
    await leaseAs(app, { executor: 'first', instance: newId() }, one);
    await leaseAs(app, { executor: 'second', instance: newId() }, other);
    const codes = async (authorization: string) =>
      await Promise.all(
        ['first', 'second'].map(
          async (executor) => (await leaseAs(app, { executor, instance: newId() }, authorization)).code,
        ),
      );
    expect(await codes(one)).toEqual(['FAILED_PRECONDITION', 'INVALID_ARGUMENT']);
    expect(await codes(other)).toEqual(['INVALID_ARGUMENT', 'FAILED_PRECONDITION']);
  });
});

describe('an id that is none', () => {
  const run = 'no id at all';

  it('names no lease to renew or to return, and no log', async () => {
    const ask = (field: string, input: object, selected: string) =>
      mutate(app, field, input, selected, app.executor);
    expect((await ask('renewLeases', { runs: [run] }, 'held')).held).toEqual([]);
    const returned = await ask('returnLease', { run, reason: 'x', attempted: false }, 'returned');
    expect(returned.returned).toBe(false);
    expect((await ask('reportRunLog', { run, chunks: [] }, 'stored')).stored).toBe(0);
  });

  it.each(['job', 'jobRun'])('is NOT_FOUND as a %s', async (field) => {
    const { data, errors } = await app.ask(`query ($id: ID!) { ${field}(by: { id: $id }) { id } }`, {
      id: run,
    });
    expect(data).toEqual({ [field]: null });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('the wait of a long poll', () => {
  it('is over at once when there is a run to stop', async () => {
    const { hands, runs } = await stage.lease('stopped');
    const strange = new Hands(app, 'stranger');
    for (const { id } of runs) strange.known.add(id);
    expect((await strange.lease({ maxJobs: 0, wait: 'PT20S' })).cancelRuns).toEqual([...hands.known]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitPlainJobs } from '../../src/jobs/commands/submit-plain-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { domain, registerProject } from '../support/seed.ts';
import { holdAnswers, statementsOf } from '../support/statements.ts';
import { homeTenant, newCaller, newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { Stage } from './stage.ts';

let app: App;
let queueId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queueId = await make(app, 'createQueue', { name: 'q' }, 'queue');
});
afterAll(() => app.stop());

const container = { image: 'x', command: ['true'] };
const job = (more: object = {}) => ({ container, ...more });
const fields = 'results { job { id state queue jobSet clientId priority } clientId isDuplicate }';
const submit = (jobs: readonly object[], more: object = {}, authorization?: string | null): Promise<Answer> =>
  mutate(app, 'submitJobs', { queue: 'q', jobSet: 'set', jobs, ...more }, fields, authorization);
const idsOf = ({ results }: Answer): string[] => results.map((one: Answer) => one.job.id);
const countJobs = () => db.job.count({ where: { queueId } });

describe('submitJobs', () => {
  it('answers one item for each job, in the order of the request', async () => {
    const { results } = await submit([job({ clientId: 'a', priority: 1.5 }), job(), job({ clientId: 'b' })]);
    expect(results).toEqual([
      {
        job: {
          id: expect.any(String),
          state: 'QUEUED',
          queue: 'q',
          jobSet: 'set',
          clientId: 'a',
          priority: '2',
        },
        ...{ clientId: 'a', isDuplicate: false },
      },
      { job: expect.objectContaining({ clientId: null, priority: '0' }), clientId: null, isDuplicate: false },
      { job: expect.objectContaining({ clientId: 'b' }), clientId: 'b', isDuplicate: false },
    ]);
    const ids = results.map((one: Answer) => one.job.id);
    expect([...ids].sort()).toEqual(ids);
    const events = 'select kind, job_id from job_events where job_id = any($1) order by sequence';
    expect((await pool.query(events, [ids])).rows).toEqual(
      ids.flatMap((id: string) => ['SUBMITTED', 'QUEUED'].map((kind) => ({ kind, job_id: id }))),
    );
  });

  it('stores all that a job says', async () => {
    const [id = ''] = idsOf(
      await submit([
        job({
          ...{ pool: 'large', namespace: 'team', failFast: true, onPreemption: 'REQUEUE', maxAttempts: 7 },
          ...{ priorityClass: 'slipway-preemptible', externalUri: 'ticket:1', activeDeadline: 'PT1.5S' },
          labels: [{ key: 'job', value: '{JobId}' }],
          annotations: [{ key: 'note', value: '{{JobId}}' }],
          nodeSelector: [{ key: 'disk', value: 'ssd' }],
          tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
          gang: { id: 'pair', cardinality: 2, nodeUniformityLabel: 'zone' },
        }),
      ]),
    );
    const row = await db.job.findUniqueOrThrow({ where: { id }, include: { gang: true } });
    expect(row).toMatchObject({
      ...{ pool: 'large', namespace: 'team', failFast: true, onPreemption: 'REQUEUE', maxAttempts: 7 },
      ...{ priorityClass: 'slipway-preemptible', isPreemptible: true, externalUri: 'ticket:1' },
      ...{ activeDeadlineSeconds: 2, isOwned: false, labels: { job: id }, annotations: { note: 'JobId' } },
      ...{ nodeSelector: { disk: 'ssd' }, resources: { cpu: 1000, memory: 2 ** 30 } },
      tolerations: [{ key: 'gpu', operator: 'Exists', value: '', effect: 'NoSchedule' }],
      gang: { name: 'pair', cardinality: 2, uniformityLabel: 'zone', size: 1 },
    });
  });

  it('gives the program the variables of its job', async () => {
    const [id = ''] = idsOf(await submit([job({ pool: 'variables' })], { jobSet: 'variables' }));
    const { tenantId } = await db.job.findUniqueOrThrow({ where: { id } });
    const call = { executor: 'one', knownRuns: [], maxJobs: 1, pool: 'variables', wait: 'PT0S' };
    const lease = () =>
      mutate(
        app,
        'leaseJobs',
        call,
        'runs { jobId environment terminationGrace activeDeadline }',
        app.executor,
      );
    await lease();
    const stage = await Stage.open(app, tenantId);
    expect((await stage.assign('variables')).assigned).toBe(1);
    expect((await lease()).runs).toMatchObject([
      {
        jobId: id,
        environment: { SLIPWAY_JOB_ID: id, SLIPWAY_QUEUE: 'q', ARMADA_JOB_SET_ID: 'variables' },
        ...{ terminationGrace: 'PT1S', activeDeadline: 'PT72H' },
      },
    ]);
  });

  it('reports the problems of all jobs with their paths, and then submits none', async () => {
    const before = await countJobs();
    const answer = await submit([
      job({ clientId: 'good' }),
      job({ clientId: 'c'.repeat(101), labels: [{ key: 'a', value: 'b c' }] }),
      job({ priorityClass: 'unknown', container: { image: '' } }),
    ]);
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(answer.problems.map(({ path }: Answer) => path.join('.')).sort()).toEqual([
      'input.jobs.1.clientId',
      'input.jobs.1.labels.a',
      'input.jobs.2.container.image',
      'input.jobs.2.priorityClass',
    ]);
    expect(await countJobs()).toBe(before);
  });

  it.each([
    ['no jobs', [], {}, 'input.jobs'],
    ['1001 jobs', Array.from({ length: 1001 }, () => job()), {}, 'input.jobs'],
    ['no name of a job set', [job()], { jobSet: '' }, 'input.jobSet'],
    ['the name of a job set of an execution', [job()], { jobSet: newId() }, 'input.jobSet'],
  ])('refuses %s', async (_what, jobs, more, path) => {
    const answer = await submit(jobs, more);
    expect(answer.problems?.map((problem: Answer) => problem.path.join('.'))).toEqual([path]);
  });

  it('names a missing queue before all else, and one that was deleted', async () => {
    expect(await submit([job({ clientId: '' })], { queue: 'nowhere', jobSet: '' })).toMatchObject({
      refused: 'NOT_FOUND',
      message: 'queue nowhere not found',
    });
    await make(app, 'createQueue', { name: 'gone' }, 'queue');
    await db.queue.updateMany({ where: { name: 'gone' }, data: { deletedAt: new Date() } });
    expect(await submit([job()], { queue: 'gone' })).toMatchObject({ refused: 'NOT_FOUND' });
  });

  it('stores nothing in a queue that was deleted after it was found', async () => {
    const id = await make(app, 'createQueue', { name: 'soon gone' }, 'queue');
    const queue = await db.queue.update({ where: { id }, data: { deletedAt: new Date() } });
    const caller = systemCaller(queue.tenantId, newId());
    await expect(submitPlainJobs(caller, queue, 'set', [job()])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await db.job.count({ where: { queueId: id } })).toBe(0);
  });

  it('submits to a cordoned queue', async () => {
    await make(app, 'createQueue', { name: 'closed' }, 'queue');
    await db.queue.updateMany({ where: { name: 'closed' }, data: { cordoned: true } });
    expect(idsOf(await submit([job()], { queue: 'closed' }))).toHaveLength(1);
  });

  it('takes the same statements for one job and for many', async () => {
    const jobs = (count: number, gang: string) =>
      Array.from({ length: count }, (_, at) =>
        job({ clientId: `${gang}-${at}`, gang: { id: gang, cardinality: count } }),
      );
    const one = await statementsOf(() => submit(jobs(2, 'small')));
    const many = await statementsOf(() => submit(jobs(60, 'big')));
    expect(idsOf(many.result)).toHaveLength(60);
    expect(many.statements).toEqual(one.statements);
    expect(many.statements.length).toBeLessThanOrEqual(12);
  });
});

describe('a client id', () => {
  it('stands for one job, in all job sets of a queue and even in one request', async () => {
    const same = job({ clientId: 'same' });
    const { results } = await submit([same, same, job(), same]);
    expect(results.map(({ isDuplicate }: Answer) => isDuplicate)).toEqual([false, true, false, true]);
    const [first] = results;
    expect(results[1].job.id).toBe(first.job.id);
    const again = await submit([same], { jobSet: 'other set' });
    expect(again.results).toEqual([{ ...first, isDuplicate: true }]);
  });

  it('is another one in another queue', async () => {
    await make(app, 'createQueue', { name: 'r' }, 'queue');
    const [one] = idsOf(await submit([job({ clientId: 'in two queues' })]));
    const other = await submit([job({ clientId: 'in two queues' })], { queue: 'r' });
    expect(other.results[0].isDuplicate).toBe(false);
    expect(idsOf(other)).not.toEqual([one]);
  });

  it('makes one job if eight clients submit it at the same time, in any order and to any job set', async () => {
    const clientIds = Array.from({ length: 40 }, (_, at) => `race-${at}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, client) => {
        const jobs = clientIds.map((clientId) => job({ clientId }));
        return submit(client % 2 === 0 ? jobs : jobs.reverse(), { jobSet: `race-${client % 3}` });
      }),
    );
    for (const clientId of clientIds) {
      const all = answers
        .flatMap(({ results }) => results)
        .filter((one: Answer) => one.clientId === clientId);
      expect(all).toHaveLength(8);
      expect(new Set(all.map((one: Answer) => one.job.id)).size).toBe(1);
      expect(all.filter((one: Answer) => !one.isDuplicate)).toHaveLength(1);
    }
    expect(await db.job.count({ where: { clientId: { startsWith: 'race-' } } })).toBe(40);
  });

  it('never stands for a job that is not stored, although the first one is deleted at the same moment', async () => {
    const [first] = idsOf(await submit([job({ clientId: 'leaving' })]));
    await db.job.update({ where: { id: first ?? '' }, data: { state: 'CANCELLED', endedAt: new Date() } });
    const answers = holdAnswers(/^with asked as materialized .* insert into jobs/);
    const again = submit([job({ clientId: 'leaving' }), job({ clientId: 'coming' })]);
    await eventually(
      () => answers.held,
      (held) => held === 1,
    );
    await db.job.delete({ where: { id: first ?? '' } });
    answers.release();
    expect(await again).toMatchObject({ refused: 'UNAVAILABLE' });
    expect(await db.job.count({ where: { clientId: 'coming' } })).toBe(0);
    expect(idsOf(await submit([job({ clientId: 'leaving' })]))).not.toContain(first);
  });

  it('does not make a gang grow twice', async () => {
    const gang = { id: 'repeated', cardinality: 2 };
    const members = [job({ clientId: 'm1', gang }), job({ clientId: 'm2', gang })];
    await submit(members);
    expect((await submit(members)).results.map(({ isDuplicate }: Answer) => isDuplicate)).toEqual([
      true,
      true,
    ]);
    expect(await submit([job({ gang })])).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'jobs', '0', 'gang', 'id'],
    });
  });
});

describe('the rights of a submitter', () => {
  const on = (level: 'READ' | 'USE' | 'EDIT') =>
    newCaller({ grants: [{ type: 'QUEUE', id: queueId, level }] });

  it('are USE on the queue, and a hidden queue looks like none', async () => {
    const hidden = await submit([job()], {}, await newCaller());
    const absent = await submit([job()], { queue: 'nowhere' }, await newCaller());
    expect(hidden).toMatchObject({ refused: 'NOT_FOUND', message: 'queue q not found' });
    expect(absent.refused).toBe('NOT_FOUND');
    expect((await submit([job()], {}, await on('READ'))).refused).toBe('PERMISSION_DENIED');
    expect(idsOf(await submit([job()], {}, await on('USE')))).toHaveLength(1);
  });

  it('make the caller the owner', async () => {
    const user = await newUser({ grants: [{ type: 'QUEUE', id: queueId, level: 'USE' }] });
    const [id = ''] = idsOf(await submit([job()], {}, user.authorization));
    expect((await db.job.findUniqueOrThrow({ where: { id } })).ownerId).toBe(user.id);
  });

  it('include the project if jobs in the queue of a project have inputs', async () => {
    const projectId = await registerProject(app, 'vision');
    const tenantId = await homeTenant();
    const queue = await db.queue.create({
      data: { id: newId(), tenantId, projectId, name: `vision/${domain}` },
    });
    const authorization = await newCaller({ grants: [{ type: 'QUEUE', id: queue.id, level: 'USE' }] });
    const signature = { inputs: {}, outputs: { y: { type: { simple: 'INTEGER' } } } };
    const to = { queue: queue.name };
    expect(idsOf(await submit([job()], to, authorization))).toHaveLength(1);
    const withOutputs = [job({ interface: signature })];
    expect((await submit(withOutputs, to, authorization)).refused).toBe('PERMISSION_DENIED');
    const member = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'USE' }] });
    const [id = ''] = idsOf(await submit(withOutputs, to, member));
    const { jobSet } = await db.job.findUniqueOrThrow({ where: { id }, include: { jobSet: true } });
    expect(jobSet.projectId).toBe(projectId);
  });
});

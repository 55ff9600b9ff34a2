/** What queues work on: counts by state, active job sets, active queues. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { statementsOf } from '../support/statements.ts';
import { newUser, type User } from '../support/users.ts';
import { newJob } from './stage.ts';

let app: App;
let tenantId: string;
let userId: string;
const queues: Record<string, string> = {};
/** May read the queue `busy`, but not the workflow of one of its job sets. */
let reader: User;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  ({ id: userId, tenantId } = await db.user.findFirstOrThrow({ where: { username: 'admin' } }));
  const data = {
    tenantId,
    projectId: (await project()).id,
    domain: 'development',
    type: 'WORKFLOW' as const,
  };
  const { id: hidden } = await db.namedEntity.create({ data: { ...data, id: newId(), name: 'hidden' } });
  for (const name of ['busy', 'quiet', 'other'])
    queues[name] = (await db.queue.create({ data: { tenantId, name } })).id;
  await submit('busy', 'first', ['QUEUED', 'QUEUED', 'LEASED', 'PENDING', 'RUNNING', 'SUCCEEDED']);
  await submit('busy', 'done', ['SUCCEEDED', 'FAILED', 'CANCELLED']);
  await submit('busy', 'stopping', ['CANCELLING', 'PREEMPTING', 'PREEMPTED'], { pool: 'large' });
  await submit('busy', 'secret', ['QUEUED', 'RUNNING'], { workflowEntityId: hidden });
  await submit('other', 'first', ['QUEUED'], { pool: 'large' });
  await submit('quiet', 'done', ['REJECTED']);
  reader = await newUser({
    grants: [
      { type: 'QUEUE', id: queues['busy'] ?? '', level: 'READ' },
      { type: 'WORKFLOW', id: hidden, level: 'NO_PERMISSIONS' },
    ],
  });
});
afterAll(() => app.stop());

const project = () => db.project.create({ data: { tenantId, identifier: 'home', name: 'Home' } });

async function submit(
  queue: string,
  name: string,
  states: readonly string[],
  { pool: inPool = 'default', workflowEntityId = null as string | null } = {},
): Promise<void> {
  const set = { name, ownerId: null, projectId: null, workflowEntityId };
  const ids = await inTransaction((tx) =>
    submitJobs(
      systemCaller(tenantId, userId),
      tx,
      { id: queues[queue] ?? '', tenantId },
      set,
      states.map(() => newJob({ pool: inPool })),
    ),
  );
  const ended = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'PREEMPTED', 'REJECTED'];
  for (const [at, state] of states.entries())
    await pool.query(
      `update jobs set state = $2::job_state, ended_at = case when $3 then now() end where id = $1`,
      [ids[at], state, ended.includes(state)],
    );
}

const ask = async (document: string, authorization?: string): Promise<Answer> => {
  const { data, errors } = await app.ask(document, {}, authorization);
  expect(errors).toBeUndefined();
  return data;
};

describe('Queue.counts', () => {
  const document = (name: string) => `{ queue(by: { name: "${name}" }) { counts { state count } } }`;
  const countsOf = async (name: string, authorization?: string) =>
    Object.fromEntries(
      (await ask(document(name), authorization)).queue.counts.map((one: Answer) => [one.state, one.count]),
    );

  it('counts the jobs in each state, and leaves out states without jobs', async () => {
    expect(await countsOf('busy')).toEqual({
      ...{ QUEUED: 3, LEASED: 1, PENDING: 1, RUNNING: 2, SUCCEEDED: 2, FAILED: 1, CANCELLED: 1 },
      ...{ CANCELLING: 1, PREEMPTING: 1, PREEMPTED: 1 },
    });
    expect(await countsOf('quiet')).toEqual({ REJECTED: 1 });
  });

  it('counts only jobs that the caller may read', async () => {
    expect(await countsOf('busy', reader.authorization)).toMatchObject({ QUEUED: 2, RUNNING: 1 });
  });

  it('is null without the scope, and takes one statement for all queues of a page', async () => {
    const scoped = await newUser({ role: 'ADMIN', scopes: ['queue:read'] });
    expect((await ask(document('busy'), scoped.authorization)).queue.counts).toBeNull();
    const list = (fields: string) => statementsOf(() => ask(`{ queues { nodes { name ${fields} } } }`));
    const [plain, counted] = [await list(''), await list('counts { state count }')];
    expect(counted.statements).toHaveLength(plain.statements.length + 1);
  });
});

describe('queueInfo', () => {
  const sets = async (name: string, page = '', authorization?: string) =>
    (
      await ask(
        `{ queueInfo(by: { name: "${name}" }) { name activeJobSets${page} {
             totalCount pageInfo { endCursor hasNextPage } nodes { name queuedJobs leasedJobs } } } }`,
        authorization,
      )
    ).queueInfo;
  const active = {
    first: { name: 'first', queuedJobs: 2, leasedJobs: 3 },
    stopping: { name: 'stopping', queuedJobs: 0, leasedJobs: 2 },
    secret: { name: 'secret', queuedJobs: 1, leasedJobs: 1 },
  };

  it('lists the job sets with jobs that have not ended, newest first', async () => {
    expect(await sets('busy')).toMatchObject({
      name: 'busy',
      activeJobSets: { totalCount: 3, nodes: [active.secret, active.stopping, active.first] },
    });
    expect(await sets('quiet')).toMatchObject({ name: 'quiet', activeJobSets: { totalCount: 0, nodes: [] } });
  });

  it('goes through the list page by page, with one statement for each', async () => {
    const { result, statements } = await statementsOf(() => sets('busy', '(first: 2)'));
    const { nodes, pageInfo } = result.activeJobSets;
    expect(nodes).toEqual([active.secret, active.stopping]);
    expect(pageInfo.hasNextPage).toBe(true);
    expect(
      statements.filter((text) => text.includes('"leasedJobs"') && !text.includes('as "parentId"')),
    ).toHaveLength(1);
    const second = await sets('busy', `(first: 2, after: "${pageInfo.endCursor}")`);
    expect(second.activeJobSets).toMatchObject({ nodes: [active.first], pageInfo: { hasNextPage: false } });
  });

  it('leaves out job sets of which the caller may read no job', async () => {
    expect((await sets('busy', '', reader.authorization)).activeJobSets).toMatchObject({
      totalCount: 2,
      nodes: [active.stopping, active.first],
    });
  });

  it('is NOT_FOUND for an absent queue and a hidden one', async () => {
    for (const name of ['absent', 'other']) {
      const query = `{ queueInfo(by: { name: "${name}" }) { name } }`;
      const { data, errors } = await app.ask(query, {}, reader.authorization);
      expect([data.queueInfo, errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
    }
  });
});

describe('activeQueues', () => {
  const list = async (args: string, authorization?: string) => {
    const given = args && `(${args})`;
    const data = await ask(
      `{ activeQueues${given} { totalCount pageInfo { endCursor } nodes { pool queue { name } } } }`,
      authorization,
    );
    const { nodes, ...rest } = data.activeQueues;
    return { ...rest, nodes: nodes.map((one: Answer) => [one.pool, one.queue.name]) };
  };
  const all = [
    ['default', 'busy'],
    ['large', 'busy'],
    ['large', 'other'],
  ];

  it('lists each pool with its queues that have jobs which have not ended', async () => {
    expect(await list('')).toMatchObject({ totalCount: 3, nodes: all });
    expect(await list('pool: "large"')).toMatchObject({ totalCount: 2, nodes: all.slice(1) });
    expect(await list('pool: "empty"')).toMatchObject({ totalCount: 0, nodes: [] });
  });

  it('goes through the list page by page', async () => {
    const first = await list('first: 2');
    expect(first.nodes).toEqual(all.slice(0, 2));
    expect((await list(`first: 2, after: "${first.pageInfo.endCursor}"`)).nodes).toEqual(all.slice(2));
  });

  it('leaves out hidden queues', async () => {
    expect(await list('', reader.authorization)).toMatchObject({ totalCount: 2, nodes: all.slice(0, 2) });
    const { authorization } = await newUser();
    expect(await list('', authorization)).toMatchObject({ totalCount: 0, nodes: [] });
  });
});

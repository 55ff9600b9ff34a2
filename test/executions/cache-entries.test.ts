import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_EVICTIONS } from '../../src/executions/commands/evict-cache-entries.ts';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, registerProject } from '../support/seed.ts';
import { grant, newUser, type User } from '../support/users.ts';

const project = 'cache-entries';
let app: App;
let projectId: string;
let otherId: string;
let editor: User;
let reader: User;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  otherId = await registerProject(app, 'cache-others');
  editor = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
  reader = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
  await grant(editor.authorization, 'PROJECT', projectId, 'EDIT');
  await grant(reader.authorization, 'PROJECT', projectId, 'READ');
});
afterAll(() => app.stop());

/** Entries of the task `a` with two versions, of `b`, and of another project. */
beforeEach(async () => {
  await db.cacheEntry.deleteMany();
  await insert('a1', { taskName: 'a', cacheVersion: '1' });
  await insert('a2', { taskName: 'a', cacheVersion: '2' });
  await insert('b1', { taskName: 'b', cacheVersion: '1' });
  await insert('other', { taskName: 'a', cacheVersion: '1', projectId: otherId });
});

interface Entry {
  readonly taskName: string;
  readonly cacheVersion: string;
  readonly projectId?: string;
}

async function insert(key: string, entry: Entry): Promise<void> {
  const { tenantId } = await db.project.findUniqueOrThrow({ where: { id: projectId } });
  const task = { taskProject: 'tasks', taskDomain: domain };
  await db.cacheEntry.create({
    data: { tenantId, projectId, key, ...task, ...entry, outputs: {}, catalogKey: {} },
  });
}

const taskOf = (name: string) => ({ project: 'tasks', domain, name });

async function keysOf(filter: object, authorization = editor.authorization): Promise<string[]> {
  const { data, errors } = await app.ask(
    'query ($filter: CacheEntryFilterInput!) { cacheEntries(filter: $filter) { totalCount nodes { key } } }',
    { filter: { project, ...filter } },
    authorization,
  );
  expect(errors).toBeUndefined();
  expect(data.cacheEntries.totalCount).toBe(data.cacheEntries.nodes.length);
  return data.cacheEntries.nodes.map((node: { key: string }) => node.key);
}

const evict = (input: object, authorization = editor.authorization) =>
  mutate(app, 'evictCacheEntries', { project, ...input }, 'evicted hasMore', authorization);

const left = async () => (await db.cacheEntry.findMany({ orderBy: { key: 'asc' } })).map(({ key }) => key);

describe('cacheEntries', () => {
  it.each([
    ['all of the project, newest first', {}, ['b1', 'a2', 'a1']],
    ['those of a task', { task: taskOf('a') }, ['a2', 'a1']],
    ['none of a task with another domain', { task: { ...taskOf('a'), domain: 'staging' } }, []],
    ['those of a version', { cacheVersion: '1' }, ['b1', 'a1']],
    ['the one with a key', { key: 'a2' }, ['a2']],
    ['those that meet all conditions', { task: taskOf('a'), cacheVersion: '2' }, ['a2']],
    ['none with a key of another project', { key: 'other' }, []],
  ])('shows %s', async (_what, filter, keys) => {
    expect(await keysOf(filter)).toEqual(keys);
  });

  it('shows what an entry is for', async () => {
    const { data } = await app.ask(
      `{ cacheEntries(filter: { project: "${project}", key: "a1" }) {
           nodes { id key taskProject taskDomain taskName cacheVersion createdAt lastUsedAt } } }`,
      {},
      editor.authorization,
    );
    expect(data.cacheEntries.nodes).toMatchObject([
      { key: 'a1', taskProject: 'tasks', taskDomain: domain, taskName: 'a', cacheVersion: '1' },
    ]);
  });

  it('is refused without EDIT on the project', async () => {
    const ask = (authorization: string) =>
      app.ask(`{ cacheEntries(filter: { project: "${project}" }) { totalCount } }`, {}, authorization);
    expect((await ask(reader.authorization)).errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    expect((await ask(stranger.authorization)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });
});

describe('evictCacheEntries', () => {
  it.each([
    ['those of a task', { task: taskOf('a') }, ['b1', 'other']],
    ['those of a version of a task', { task: taskOf('a'), cacheVersion: '1' }, ['a2', 'b1', 'other']],
    ['the one with a key', { key: 'b1' }, ['a1', 'a2', 'other']],
    ['nothing of another project', { key: 'other' }, ['a1', 'a2', 'b1', 'other']],
  ])('deletes %s', async (_what, input, keys) => {
    const before = (await left()).length;
    expect(await evict(input)).toMatchObject({ evicted: before - keys.length, hasMore: false });
    expect(await left()).toEqual(keys);
  });

  it('needs a task or a key', async () => {
    expect(await evict({ cacheVersion: '1' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'task'],
    });
    expect(await left()).toHaveLength(4);
  });

  it('deletes a limited number at a time, and says whether there may be more', async () => {
    const { tenantId } = await db.project.findUniqueOrThrow({ where: { id: projectId } });
    const task = { taskProject: 'tasks', taskDomain: domain, taskName: 'many', cacheVersion: '1' };
    await db.cacheEntry.createMany({
      data: Array.from({ length: MAX_EVICTIONS + 1 }, (_, at) => ({
        ...{ tenantId, projectId, key: `many-${at}`, ...task, outputs: {}, catalogKey: {} },
      })),
    });
    expect(await evict({ task: taskOf('many') })).toMatchObject({ evicted: MAX_EVICTIONS, hasMore: true });
    expect(await evict({ task: taskOf('many') })).toMatchObject({ evicted: 1, hasMore: false });
  });

  it('is refused without EDIT on the project', async () => {
    expect(await evict({ key: 'a1' }, reader.authorization)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(await left()).toHaveLength(4);
  });
});

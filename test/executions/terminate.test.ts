import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import {
  eventually,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newUser, type User } from '../support/users.ts';

const project = 'terminating';
let app: LocalApp;
let editor: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  editor = await newUser({ role: 'USER', level: 'EDIT' });
});
afterAll(() => app.stop());

const results = `results { execution { id phase abort { cause isForced } } error { code message } } hasMore`;
const terminateAll = (input: object, user: User = editor): Promise<Answer> =>
  mutate(app, 'terminateExecutions', { cause: 'enough', ...input }, results, user.authorization);
const idsOf = ({ results: all }: Answer) => all.map(({ execution }: Answer) => execution?.id ?? null);
const byIds = (ids: readonly string[]) => ids.map((id) => ({ id }));
const phaseOf = async (id: string) => (await db.execution.findUniqueOrThrow({ where: { id } })).phase;

/** Executions with a tag of their own. */
async function launchTagged(tag: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) ids.push(await launch(app, project, 'one', { tags: [tag] }));
  return ids;
}

describe('terminateExecutions by address', () => {
  it('answers for each execution in order, and one that cannot be aborted does not keep the others from it', async () => {
    const [one, ended, two] = (await launchTagged('mixed', 3)) as [string, string, string];
    await db.execution.update({ where: { id: ended }, data: { phase: 'FAILED', endedAt: new Date() } });
    const absent = newId();
    const answer = await terminateAll({ executions: byIds([two, ended, absent, one]) });
    expect(answer).toMatchObject({
      hasMore: false,
      results: [
        {
          execution: { id: two, phase: 'ABORTING', abort: { cause: 'enough', isForced: false } },
          error: null,
        },
        { execution: { id: ended, phase: 'FAILED', abort: null }, error: { code: 'FAILED_PRECONDITION' } },
        { execution: null, error: { code: 'NOT_FOUND' } },
        { execution: { id: one, phase: 'ABORTING' }, error: null },
      ],
    });
    expect(await phaseOf(one)).toBe('ABORTING');
  });

  it('takes an execution by its key, and twice', async () => {
    const id = await launch(app, project, 'one', { name: 'by-key' });
    const key = { project, domain: 'development', name: 'by-key' };
    const answer = await terminateAll({ executions: [{ key }, { id }] });
    expect(idsOf(answer)).toEqual([id, id]);
    expect(answer.results.map(({ error }: Answer) => error)).toEqual([null, null]);
  });

  it('refuses each execution as `terminateExecution` does, and records it', async () => {
    const id = await launch(app, project, 'one');
    const reader = await newUser({ role: 'USER', level: 'USE' });
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    const [refused] = (await terminateAll({ executions: [{ id }] }, reader)).results;
    expect(refused).toMatchObject({
      execution: { id, phase: 'QUEUED' },
      error: { code: 'PERMISSION_DENIED' },
    });
    const [hidden] = (await terminateAll({ executions: [{ id }] }, stranger)).results;
    expect(hidden).toMatchObject({ execution: null, error: { code: 'NOT_FOUND' } });
    expect(await phaseOf(id)).toBe('QUEUED');
    const recorded = await eventually(
      () => db.auditEvent.findMany({ where: { targetName: id, action: 'execution:terminate' } }),
      (rows) => rows.length === 2,
    );
    expect(recorded.map(({ actorId, outcome }) => [actorId, outcome])).toEqual(
      expect.arrayContaining([
        [reader.id, 'DENIED'],
        [stranger.id, 'DENIED'],
      ]),
    );
  });

  it('takes at most 1,000 executions, and a cause of at most 500 characters', async () => {
    const many = Array.from({ length: 1001 }, () => ({ id: newId() }));
    expect(await terminateAll({ executions: many })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'executions'],
    });
    expect((await terminateAll({ executions: many.slice(1) })).results).toHaveLength(1000);
    expect(await terminateAll({ executions: [], cause: 'x'.repeat(501) })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'cause'],
    });
    expect((await terminateAll({ executions: [], cause: 'x'.repeat(500) })).results).toEqual([]);
  });

  it.each([{}, { executions: [], filter: {} }])('needs either executions or a filter: %j', async (input) => {
    expect(await terminateAll(input)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'executions'],
      message: expect.stringContaining('give either executions or filter'),
    });
  });

  it('changes nothing in a dry run, and says what would be', async () => {
    const [open, ended] = (await launchTagged('dry', 2)) as [string, string];
    await db.execution.update({ where: { id: ended }, data: { phase: 'SUCCEEDED', endedAt: new Date() } });
    expect(await terminateAll({ executions: byIds([open, ended]), dryRun: true })).toMatchObject({
      results: [
        { execution: { id: open, phase: 'QUEUED' }, error: null },
        { execution: { id: ended }, error: { code: 'FAILED_PRECONDITION' } },
      ],
    });
    expect(idsOf(await terminateAll({ filter: { tags: ['dry'] }, dryRun: true }))).toEqual([open]);
    expect(await phaseOf(open)).toBe('QUEUED');
  });

  it('names a filter with too many entries by its path', async () => {
    const tags = Array.from({ length: 101 }, (_, at) => `tag-${at}`);
    expect(await terminateAll({ executions: undefined, filter: { tags } })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'filter', 'tags'],
    });
  });

  it('takes as many statements for 30 executions as for 3', async () => {
    const counted = async (ids: readonly string[]) =>
      (await countStatements(() => terminateAll({ executions: byIds(ids) }))).statements.length;
    await counted(await launchTagged('warm', 1));
    const few = await counted(await launchTagged('few', 3));
    expect(await counted(await launchTagged('many', 30))).toBe(few);
  });
});

describe('terminateExecutions by filter', () => {
  it('aborts what the filter finds and the caller may terminate, oldest first, and nothing twice', async () => {
    const ids = await launchTagged('filtered', 4);
    const [first = '', second = '', third = '', fourth = ''] = ids;
    await db.execution.update({ where: { id: second }, data: { phase: 'SUCCEEDED', endedAt: new Date() } });
    await terminateAll({ executions: [{ id: third }] });
    const other = await launch(app, project, 'one', { tags: ['other'] });
    const reader = await newUser({ role: 'USER', level: 'USE' });
    expect(await terminateAll({ filter: { tags: ['filtered'] } }, reader)).toEqual({
      __typename: 'TerminateExecutionsPayload',
      results: [],
      hasMore: false,
    });
    const answer = await terminateAll({ filter: { tags: ['filtered'] } });
    expect(idsOf(answer)).toEqual([first, fourth]);
    expect(answer.hasMore).toBe(false);
    expect(idsOf(await terminateAll({ filter: { tags: ['filtered'] } }))).toEqual([]);
    expect(await Promise.all([phaseOf(first), phaseOf(fourth), phaseOf(other)])).toEqual([
      'ABORTING',
      'ABORTING',
      'QUEUED',
    ]);
  });

  it('forces those that are ABORTING already, once', async () => {
    const [id = ''] = await launchTagged('stuck', 1);
    await terminateAll({ executions: [{ id }] });
    expect(idsOf(await terminateAll({ filter: { tags: ['stuck'] }, force: true }))).toEqual([id]);
    expect(idsOf(await terminateAll({ filter: { tags: ['stuck'] }, force: true }))).toEqual([]);
  });

  it('takes 1,000 executions at a time, and says whether there may be more', async () => {
    const crowd = 'crowded';
    await registerProject(app, crowd);
    const launchPlan = { key: keyOf(project, 'one') };
    const first = await launch(app, crowd, 'one', { launchPlan });
    await db.$executeRaw`
      insert into executions
      select copy.* from executions as source, generate_series(1, 1000) as number,
             jsonb_populate_record(source, jsonb_build_object(
               'id', gen_random_uuid(), 'name', source.name || number,
               'created_at', source.created_at + number * interval '1 second')) as copy
       where source.id = ${first}::uuid`;
    const filter = { project: crowd };
    const dry = await terminateAll({ filter, dryRun: true });
    expect([dry.results.length, dry.hasMore, idsOf(dry)[0]]).toEqual([1000, true, first]);
    const once = await terminateAll({ filter });
    expect([once.results.length, once.hasMore]).toEqual([1000, true]);
    const twice = await terminateAll({ filter });
    expect([twice.results.length, twice.hasMore]).toEqual([1, false]);
    expect(await db.execution.count({ where: { project: { identifier: crowd }, phase: 'ABORTING' } })).toBe(
      1001,
    );
  });

  it('is closed to a role that may terminate nothing', async () => {
    const guest = await newUser({ role: 'GUEST', level: 'MANAGE' });
    expect(endOf(await terminateAll({ filter: {} }, guest))).toBe('PERMISSION_DENIED');
  });
});

/** What `deleteExecutions` deletes, what it leaves, and what keeps an execution. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { partsOf } from '../../src/retention/commands/delete-executions.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { copies, endExecution } from '../support/ended.ts';
import { endOf, make, mutate } from '../support/mutate.ts';
import {
  domain,
  eventually,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newUser, type User } from '../support/users.ts';

const project = 'clearing';
let app: LocalApp;
let manager: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  manager = await newUser({ role: 'USER', level: 'MANAGE' });
});
afterAll(() => app.stop());

const results = 'results { id execution { id phase } error { code message } } hasMore';
const remove = (input: object, user: User = manager): Promise<Answer> =>
  mutate(app, 'deleteExecutions', input, results, user.authorization);
const removeIds = (ids: readonly string[], more: object = {}, user?: User) =>
  remove({ executions: ids.map((id) => ({ id })), ...more }, user);
const exists = async (id: string) => (await db.execution.count({ where: { id } })) === 1;
const idsOf = ({ results: all }: Answer) => all.map(({ id }: Answer) => id);

/** Executions that have ended, with a tag of their own. */
async function launchEnded(tag: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) ids.push(await launch(app, project, 'one', { tags: [tag] }));
  for (const id of ids) await endExecution(id);
  return ids;
}

describe('deleteExecutions by address', () => {
  it('answers for each execution in order, and one that cannot be deleted does not keep the others', async () => {
    const [one, two] = (await launchEnded('mixed', 2)) as [string, string];
    const open = await launch(app, project, 'one');
    const absent = newId();
    expect(await removeIds([two, open, absent, one, two])).toEqual({
      __typename: 'DeleteExecutionsPayload',
      hasMore: false,
      results: [
        { id: two, execution: null, error: null },
        {
          id: open,
          execution: { id: open, phase: 'QUEUED' },
          error: {
            code: 'FAILED_PRECONDITION',
            message: 'the execution is QUEUED: wait until it has ended, or abort it',
          },
        },
        { id: null, execution: null, error: { code: 'NOT_FOUND', message: expect.anything() } },
        { id: one, execution: null, error: null },
        { id: two, execution: null, error: null },
      ],
    });
    expect(await Promise.all([one, open, two].map(exists))).toEqual([false, true, false]);
  });

  it.each(['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'] as const)(
    'deletes one that is %s',
    async (phase) => {
      const id = await launch(app, project, 'one');
      await endExecution(id, { phase });
      expect((await removeIds([id])).results).toEqual([{ id, execution: null, error: null }]);
      expect(await exists(id)).toBe(false);
    },
  );

  it.each(['QUEUED', 'RUNNING', 'SUCCEEDING', 'FAILING', 'ABORTING'] as const)(
    'leaves one that is %s',
    async (phase) => {
      const id = await launch(app, project, 'one');
      await db.execution.update({ where: { id }, data: { phase } });
      expect((await removeIds([id])).results[0].error.code).toBe('FAILED_PRECONDITION');
      expect(await exists(id)).toBe(true);
    },
  );

  it('takes an execution by its key, whose name can be used again', async () => {
    const name = 'by-key';
    await endExecution(await launch(app, project, 'one', { name }));
    expect((await remove({ executions: [{ key: { project, domain, name } }] })).results[0].error).toBeNull();
    expect(await exists(await launch(app, project, 'one', { name }))).toBe(true);
  });

  it('changes nothing in a dry run, and says what would be', async () => {
    const [ended] = (await launchEnded('dry', 1)) as [string];
    const open = await launch(app, project, 'one', { tags: ['dry'] });
    expect((await removeIds([ended, open], { dryRun: true })).results).toMatchObject([
      { id: ended, execution: { id: ended, phase: 'FAILED' }, error: null },
      { id: open, execution: { id: open }, error: { code: 'FAILED_PRECONDITION' } },
    ]);
    expect(idsOf(await remove({ filter: { tags: ['dry'] }, dryRun: true }))).toEqual([ended]);
    expect(await exists(ended)).toBe(true);
  });

  it('requires MANAGE on the workflow, and records each refusal', async () => {
    const [id] = (await launchEnded('guarded', 1)) as [string];
    const editor = await newUser({ role: 'USER', level: 'EDIT' });
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    expect((await removeIds([id], {}, editor)).results).toMatchObject([
      { id, execution: { id }, error: { code: 'PERMISSION_DENIED' } },
    ]);
    expect((await removeIds([id], {}, stranger)).results).toMatchObject([
      { id: null, execution: null, error: { code: 'NOT_FOUND' } },
    ]);
    expect(idsOf(await remove({ filter: { tags: ['guarded'] } }, editor))).toEqual([]);
    expect(await exists(id)).toBe(true);
    const recorded = await eventually(
      () => db.auditEvent.findMany({ where: { targetName: id, action: 'execution:delete' } }),
      (rows) => rows.length === 2,
    );
    expect(recorded.map(({ outcome }) => outcome)).toEqual(['DENIED', 'DENIED']);
    const guest = await newUser({ role: 'GUEST', level: 'MANAGE' });
    expect(endOf(await removeIds([id], {}, guest))).toBe('PERMISSION_DENIED');
  });

  it('does not reach the executions of other tenants', async () => {
    const [id] = (await launchEnded('foreign', 1)) as [string];
    const tenantId = (await db.tenant.create({ data: { id: newId(), name: 'else', nameKey: 'else' } })).id;
    const other = await newUser({ tenantId, role: 'ADMIN' });
    expect((await removeIds([id], {}, other)).results[0].error.code).toBe('NOT_FOUND');
    expect(idsOf(await remove({ filter: {} }, other))).toEqual([]);
    expect(await exists(id)).toBe(true);
  });

  it('takes at most 1,000 executions, and either these or a filter', async () => {
    const many = Array.from({ length: 1001 }, () => newId());
    const refused = { code: 'INVALID_ARGUMENT', path: ['input', 'executions'] };
    expect(await removeIds(many)).toMatchObject(refused);
    expect((await removeIds(many.slice(1))).results).toHaveLength(1000);
    expect(await remove({})).toMatchObject(refused);
    expect(await remove({ executions: [], filter: {} })).toMatchObject(refused);
    const tags = Array.from({ length: 101 }, (_, at) => `tag-${at}`);
    expect(await remove({ filter: { tags } })).toMatchObject({ path: ['input', 'filter', 'tags'] });
  });
});

describe('deleteExecutions by filter', () => {
  it('deletes what the filter finds, has ended and may be deleted, oldest first', async () => {
    const [first, archived, last] = (await launchEnded('filtered', 3)) as [string, string, string];
    const open = await launch(app, project, 'one', { tags: ['filtered'] });
    await mutate(app, 'updateExecution', { by: { id: archived }, state: 'ARCHIVED' });
    const filter = { tags: ['filtered'] };
    expect(idsOf(await remove({ filter }))).toEqual([first, last]);
    expect(idsOf(await remove({ filter }))).toEqual([]);
    expect(idsOf(await remove({ filter: { ...filter, withArchived: true } }))).toEqual([archived]);
    expect(await Promise.all([first, archived, last, open].map(exists))).toEqual([false, false, false, true]);
  });

  it('takes 1,000 executions at a time, in few statements, and says whether there may be more', async () => {
    const [first] = (await launchEnded('crowd', 1)) as [string];
    await copies(first, 1000);
    const filter = { tags: ['crowd'] };
    const dry = await remove({ filter, dryRun: true });
    expect([dry.results.length, dry.hasMore, idsOf(dry)[0]]).toEqual([1000, true, first]);
    const { result: once, statements } = await countStatements(() => remove({ filter }));
    expect([once.results.length, once.hasMore]).toEqual([1000, true]);
    expect(statements.length).toBeLessThan(25);
    const twice = await remove({ filter });
    expect([twice.results.length, twice.hasMore]).toEqual([1, false]);
    expect(await db.executionTag.count({ where: { tag: 'crowd' } })).toBe(0);
  });
});

describe('the statements of a deletion', () => {
  it('are as many for 30 executions as for 3', async () => {
    const counted = async (ids: readonly string[]) =>
      (await countStatements(() => removeIds(ids))).statements.length;
    await counted(await launchEnded('warm', 1));
    const few = await counted(await launchEnded('few', 3));
    expect(await counted(await launchEnded('many', 30))).toBe(few);
  });

  it('delete at most 2,000 rows each', async () => {
    const [id] = (await launchEnded('large', 1)) as [string];
    await pool.query(
      `with node as (
         insert into node_executions (id, tenant_id, execution_id, node_id, spec_node_id, phase)
         select gen_random_uuid(), tenant_id, id, 'fan:' || n, 'fan', 'QUEUED'
           from executions, generate_series(1, 5000) as n where id = $1 returning *
       ),
       task as (
         insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_project, task_domain,
                                      task_name, task_version, retry_attempt)
         select gen_random_uuid(), tenant_id, execution_id, id, 'p', 'd', 't', 'v', 0 from node
       ),
       event as (
         insert into execution_events (execution_id, sequence, tenant_id, kind, phase, occurred_at)
         select id, last_sequence + n, tenant_id, 'NODE', 'QUEUED', now()
           from executions, generate_series(1, 12000) as n where id = $1
       )
       update executions set last_sequence = last_sequence + 12000 where id = $1`,
      [id],
    );
    const { statements } = await countStatements(() => removeIds([id]));
    const deletes = (table: string) =>
      statements.filter((text) => text.includes(`delete from ${table} as part`)).length;
    expect(['execution_events', 'task_executions', 'node_executions'].map(deletes)).toEqual([7, 3, 3]);
    expect(await exists(id)).toBe(false);
  });

  it('let at most 2,000 other executions lose the name of the deleted one', async () => {
    const [id, repeated] = (await launchEnded('famous', 2)) as [string, string];
    await db.execution.update({ where: { id: repeated }, data: { referenceId: id, sourceId: id } });
    await copies(repeated, 2100);
    const { statements } = await countStatements(() => removeIds([id]));
    expect(statements.filter((text) => text.includes('update executions as other'))).toHaveLength(2);
    const named = { OR: [{ referenceId: id }, { sourceId: id }] };
    expect(await db.execution.count({ where: named })).toBe(0);
    expect(await exists(repeated)).toBe(true);
  });

  it('are divided by the number of events, each execution in one part', () => {
    expect(partsOf([], 10)).toEqual([]);
    const executions = fc.array(fc.bigInt({ min: 0n, max: 30n }), { maxLength: 50 });
    fc.assert(
      fc.property(executions, (sizes) => {
        const given = sizes.map((events, at) => ({ id: String(at), events }));
        const parts = partsOf(given, 20);
        expect(parts.flat()).toEqual(given.map(({ id }) => id));
        const sum = (part: readonly string[]) =>
          part.reduce((total, id) => total + Number(sizes[Number(id)] ?? 0n), 0);
        for (const part of parts) expect(part.length === 1 || sum(part) <= 20).toBe(true);
        // Two neighbours that fit together are together.
        for (const [at, part] of parts.entries())
          expect(at === 0 || sum(parts[at - 1] ?? []) + sum(part.slice(0, 1)) > 20).toBe(true);
      }),
    );
  });
});

describe('what keeps an execution', () => {
  /** Makes the obstacle. @returns what removes it. */
  const obstacles: Readonly<Record<string, (id: string) => Promise<() => Promise<unknown>>>> = {
    'the notifications about its end are not planned yet': async (id) => {
      await db.execution.update({ where: { id }, data: { notifyAt: new Date() } });
      return () => db.execution.update({ where: { id }, data: { notifyAt: null } });
    },
    'a trigger that waited for its end has not started its execution yet': async (id) => {
      const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id } });
      const row = await db.triggerFiring.create({
        data: { tenantId, triggerId: newId(), sourceExecutionId: id },
      });
      return () => db.triggerFiring.delete({ where: { id: row.id } });
    },
    'the execution that started it has not taken its result yet': async (id) => {
      const executionId = await launch(app, project, 'one');
      const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id } });
      const node = await db.nodeExecution.create({
        data: { id: newId(), tenantId, executionId, nodeId: 'go', specNodeId: 'go', kind: 'LAUNCH_PLAN' },
      });
      // One that did not succeed is needed for longer: see kept-for-recovery.test.ts.
      await db.execution.update({ where: { id }, data: { parentNodeId: node.id, phase: 'SUCCEEDED' } });
      return () =>
        db.nodeExecution.update({
          where: { id: node.id },
          data: { phase: 'SUCCEEDED', endedAt: new Date() },
        });
    },
    'an execution that recovers it, or one above it, has not ended': async (id) => {
      const recovery = await make(app, 'recoverExecution', { by: { id } }, 'execution');
      return () => endExecution(recovery);
    },
    'a version of a registered model comes from it': async (id) => {
      const model = await make(
        app,
        'createRegisteredModel',
        { project, name: `of-${id}` },
        'registeredModel',
      );
      const source = 's3://bucket/model';
      const version = await make(
        app,
        'createModelVersion',
        { model: { id: model }, source, execution: { id } },
        'modelVersion',
      );
      return () => db.modelVersion.delete({ where: { id: version } });
    },
  };

  it.each(Object.entries(obstacles))('%s', async (reason, hinder) => {
    const tag = newId();
    const [id] = (await launchEnded(tag, 1)) as [string];
    const help = await hinder(id);
    const kept = {
      id,
      execution: { id },
      error: { code: 'FAILED_PRECONDITION', message: expect.stringContaining(reason) },
    };
    expect((await removeIds([id], { dryRun: true })).results).toMatchObject([kept]);
    expect((await removeIds([id])).results).toMatchObject([kept]);
    expect(idsOf(await remove({ filter: { tags: [tag] } }))).toEqual([]);
    await help();
    expect((await removeIds([id])).results).toEqual([{ id, execution: null, error: null }]);
  });
});

describe('what is left of an execution', () => {
  it('are the executions that repeat it or that it started, and its run, without it', async () => {
    const [id] = (await launchEnded('origin', 1)) as [string];
    const repeated = await make(app, 'relaunchExecution', { by: { id } }, 'execution');
    const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id } });
    const node = await db.nodeExecution.create({
      data: {
        ...{ id: newId(), tenantId, executionId: id, nodeId: 'go', specNodeId: 'go' },
        ...{ phase: 'SUCCEEDED', endedAt: new Date() },
      },
    });
    const child = await launch(app, project, 'one');
    await db.execution.update({ where: { id: child }, data: { parentNodeId: node.id, sourceId: id } });
    const experiment = await make(app, 'createExperiment', { project, name: 'lasting' }, 'experiment');
    const run = await make(app, 'createRun', { experiment: { id: experiment }, execution: { id } }, 'run');
    expect((await removeIds([id])).results[0].error).toBeNull();
    const shown = async (one: string): Promise<Answer> =>
      (
        await app.ask(
          `query ($id: ID!) { execution(by: { id: $id }) {
             id referenceExecution { id } sourceExecution { id } parentNodeExecution { id } mode } }`,
          { id: one },
        )
      ).data.execution;
    const alone = { referenceExecution: null, sourceExecution: null, parentNodeExecution: null };
    expect(await shown(repeated)).toEqual({ id: repeated, ...alone, mode: 'RELAUNCH' });
    expect(await shown(child)).toMatchObject({ id: child, ...alone });
    expect(await db.experimentRun.findUniqueOrThrow({ where: { id: run } })).toMatchObject({
      executionId: null,
    });
    expect((await readExecution(app, repeated)).phase).toBe('QUEUED');
  });
});

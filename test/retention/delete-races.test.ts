/** Deletions of executions at the same moment as something else that uses them, and deletions that do not come to an end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockExecution } from '../../src/executions/store/locked-execution.ts';
import { watchEvents } from '../../src/executions/watch-events.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction, type Tx } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { deleteEnded } from '../../src/retention/commands/delete-ended.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endExecution } from '../support/ended.ts';
import { endOf, make, mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { overtaken } from '../support/waiting.ts';
import { eventsDocument, overSse } from '../support/watch.ts';

const project = 'racing';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

const remove = (ids: readonly string[]): Promise<Answer> =>
  mutate(
    app,
    'deleteExecutions',
    { executions: ids.map((id) => ({ id })) },
    'results { id error { code message } }',
  );
const errorsOf = ({ results }: Answer) => results.map(({ error }: Answer) => error?.code ?? null);
const exists = async (id: string) => (await db.execution.count({ where: { id } })) === 1;
const deletion = { deletedById: newId(), skipsLocked: false };
const deleteIn = (tx: Tx, id: string) => deleteEnded(tx, [id], deletion);

async function launchEnded(more: object = {}): Promise<string> {
  const id = await launch(app, project, 'one', more);
  await endExecution(id);
  return id;
}

describe('a deletion', () => {
  it('by eight clients of the same executions succeeds once for each of them', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 12; at += 1) ids.push(await launchEnded());
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => remove(at % 2 === 0 ? ids : [...ids].reverse())),
    );
    for (const id of ids) {
      const errors = answers.flatMap(({ results }) =>
        results.filter((one: Answer) => one.id === id && one.error === null),
      );
      expect(errors).toHaveLength(1);
    }
    expect(answers.flatMap(errorsOf).filter((code) => code === 'NOT_FOUND')).toHaveLength(7 * 12);
    expect(await db.execution.count({ where: { id: { in: ids } } })).toBe(0);
    expect(await db.executionRemains.count({ where: { executionId: { in: ids } } })).toBe(12);
  });

  it('of executions that name each other, in two calls at the same time, deletes all of them', async () => {
    const [a, b, c, d] = [
      await launchEnded(),
      await launchEnded(),
      await launchEnded(),
      await launchEnded(),
    ] as [string, string, string, string];
    await db.execution.update({ where: { id: b }, data: { referenceId: a } });
    await db.execution.update({ where: { id: d }, data: { sourceId: c } });
    const answers = await Promise.all([remove([a, d]), remove([b, c])]);
    expect(answers.flatMap(errorsOf)).toEqual([null, null, null, null]);
  });

  it('waits for the turn of a scheduler, which then finds nothing', async () => {
    const id = await launchEnded();
    const answer = await overtaken(
      () => remove([id]),
      (tx) => lockExecution(tx, id),
    );
    expect(errorsOf(answer)).toEqual([null]);
    expect(await advanceExecution(id)).toBe(false);
  });

  it('leaves the turn of a scheduler nothing to do if the deletion comes first', async () => {
    const id = await launchEnded();
    await inTransaction(async (tx) => {
      await deleteIn(tx, id);
      expect(await advanceExecution(id)).toBe(false);
    });
    expect(await advanceExecution(id)).toBe(false);
    expect(await exists(id)).toBe(false);
  });

  it('sees what is stored while it waits: a recovery keeps the execution', async () => {
    const id = await launchEnded();
    const other = await launch(app, project, 'one');
    const answer = await overtaken(
      () => remove([id]),
      (tx) => lockExecution(tx, id),
      (tx) => tx.execution.update({ where: { id: other }, data: { referenceId: id, mode: 'RECOVERED' } }),
    );
    expect(errorsOf(answer)).toEqual(['FAILED_PRECONDITION']);
    expect(await exists(id)).toBe(true);
  });

  it('that skips what is locked leaves such an execution alone', async () => {
    const [locked, free] = [await launchEnded(), await launchEnded()];
    await inTransaction(async (tx) => {
      await lockExecution(tx, locked);
      const skipping = { ...deletion, skipsLocked: true };
      const result = await inTransaction((inner) => deleteEnded(inner, [locked, free], skipping));
      expect(result).toEqual({ deleted: [free], kept: [] });
    });
    expect(await exists(locked)).toBe(true);
  });

  it('that does not come to its end has deleted nothing', async () => {
    const id = await launchEnded({ tags: ['whole'] });
    const rows = async () => [
      await db.executionEvent.count({ where: { executionId: id } }),
      await db.executionTag.count({ where: { executionId: id } }),
      await db.executionRemains.count({ where: { executionId: id } }),
    ];
    const before = await rows();
    const killed = inTransaction(async (tx) => {
      await deleteIn(tx, id);
      await tx.$executeRaw`select pg_terminate_backend(pg_backend_pid())`;
    });
    await expect(killed).rejects.toThrow();
    expect(await exists(id)).toBe(true);
    expect(await rows()).toEqual(before);
    expect(errorsOf(await remove([id]))).toEqual([null]);
  });
});

describe('what refers to an execution that is deleted at the same moment', () => {
  const asks: Readonly<Record<string, (id: string) => Promise<Answer>>> = {
    relaunchExecution: (id) => mutate(app, 'relaunchExecution', { by: { id } }, 'execution { id }'),
    recoverExecution: (id) => mutate(app, 'recoverExecution', { by: { id } }, 'execution { id }'),
    createSignal: (id) =>
      mutate(app, 'createSignal', { execution: { id }, signalId: 'go', type: { simple: 'INTEGER' } }),
    createRun: async (id) => {
      const experiment = await make(app, 'createExperiment', { project, name: id }, 'experiment');
      return await mutate(app, 'createRun', { experiment: { id: experiment }, execution: { id } });
    },
    createModelVersion: async (id) => {
      const model = await make(app, 'createRegisteredModel', { project, name: id }, 'registeredModel');
      const source = 's3://bucket/model';
      return await mutate(app, 'createModelVersion', {
        model: { id: model },
        source,
        execution: { id },
      });
    },
    updateExecution: (id) => mutate(app, 'updateExecution', { by: { id }, state: 'ARCHIVED' }),
    terminateExecution: (id) => mutate(app, 'terminateExecution', { by: { id }, cause: 'late' }),
  };

  it.each(Object.keys(asks))('%s answers NOT_FOUND', async (name) => {
    const id = await launchEnded();
    const answer = await overtaken(
      async () => await asks[name]?.(id),
      (tx) => deleteIn(tx, id),
    );
    expect(endOf(answer)).toBe('NOT_FOUND');
  });

  it('stays without it if it comes first', async () => {
    const id = await launchEnded();
    const repeated = await make(app, 'relaunchExecution', { by: { id } }, 'execution');
    const [answer] = await Promise.all([
      remove([id]),
      mutate(app, 'relaunchExecution', { by: { id } }, 'execution { id }'),
    ]);
    expect(errorsOf(answer)).toEqual([null]);
    expect(await db.execution.findUniqueOrThrow({ where: { id: repeated } })).toMatchObject({
      referenceId: null,
      sourceId: null,
    });
    expect(await db.execution.count({ where: { referenceId: id } })).toBe(0);
  });
});

describe('the events of a deleted execution', () => {
  const stop = new AbortController().signal;

  it('end with NOT_FOUND for who has not seen the last one', async () => {
    const id = await launch(app, project, 'one');
    const events = watchEvents(id, { after: 0n, kinds: new Set(['EXECUTION']), signal: stop });
    expect((await events.next()).value).toMatchObject({ phase: 'QUEUED' });
    const next = events.next();
    next.catch(() => {});
    await inTransaction(async (tx) => {
      await tx.execution.update({ where: { id }, data: { phase: 'FAILED', endedAt: new Date() } });
      await deleteIn(tx, id);
    });
    await expect(next).rejects.toMatchObject({ code: 'NOT_FOUND', key: id });
  });

  it('end a subscription with the error as its last result', async () => {
    const id = await launch(app, project, 'one');
    const results: Answer[] = [];
    for await (const result of overSse(app, eventsDocument, { id })) {
      results.push(result);
      if (results.length === 1)
        await inTransaction(async (tx) => {
          await tx.execution.update({ where: { id }, data: { phase: 'FAILED', endedAt: new Date() } });
          await deleteIn(tx, id);
        });
    }
    expect(results).toHaveLength(2);
    expect(results[0].data.executionEvents.phase).toBe('QUEUED');
    expect(results[1].errors[0].extensions.code).toBe('NOT_FOUND');
  });

  it('cannot be watched any more, also from a position that the watcher knows', async () => {
    const id = await launchEnded();
    let after: string | undefined;
    for await (const { data } of overSse(app, eventsDocument, { id })) {
      after = data.executionEvents.id;
      break;
    }
    await remove([id]);
    for await (const { errors } of overSse(app, eventsDocument, { id, after }))
      expect(errors[0].extensions.code).toBe('NOT_FOUND');
    expect(after).toBeDefined();
  });
});

/** The stored numbers of executions by phase: they are what counting the executions would say. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foldExecutionCounts } from '../../src/executions/store/execution-counts.ts';
import { moveExecution } from '../../src/executions/store/moves.ts';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { pool as database, db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

let app: LocalApp;
let projects = 0;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

interface Place {
  readonly project: string;
  readonly projectId: string;
}

/** A project with two workflows that can be launched. */
async function newPlace(): Promise<Place> {
  projects += 1;
  const project = `stored-${projects}`;
  const projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  for (const flow of ['one', 'two']) await registerWorkflow(app, project, flow, { a: [] });
  return { project, projectId };
}

/** May read the project, but not the executions of its workflow `two`. */
async function newReader({ projectId }: Place): Promise<string> {
  const hidden = await db.namedEntity.findFirstOrThrow({
    where: { projectId, type: 'WORKFLOW', name: 'two' },
  });
  return await newCaller({
    role: 'USER',
    grants: [
      { type: 'PROJECT', id: projectId, level: 'READ' },
      { type: 'WORKFLOW', id: hidden.id, level: 'NO_PERMISSIONS' },
    ],
  });
}

const filters = {
  active: '',
  all: 'withArchived: true',
  production: 'domain: "production", withArchived: true',
  ended: 'phases: [SUCCEEDED, ABORTED], withArchived: true',
};

/** @param condition  a further one. */
async function countsOf({ project }: Place, condition: string, authorization?: string): Promise<Answer> {
  const fields = Object.entries(filters).map(
    ([name, filter]) =>
      `${name}: executionCounts(filter: { ${filter} ${condition} }) { phase count }
       ${name}Here: executionCounts(filter: { project: "${project}", ${filter} ${condition} }) { phase count }`,
  );
  const { data, errors } = await app.ask(
    `{ project(by: { identifier: "${project}" }) { ${fields.join(' ')} } }`,
    {},
    authorization,
  );
  expect(errors).toBeUndefined();
  return data.project;
}

/** No number is stored by time, so this condition has the executions counted. */
const COUNTED = 'createdAfter: "2000-01-01T00:00:00Z"';

async function move(id: string, from: ExecutionPhase, to: ExecutionPhase): Promise<unknown> {
  return await moveExecution({ id, from: [from], to, at: new Date() });
}

const steps = {
  launch: ({ project }: Place) => launch(app, project, 'one'),
  launchHidden: ({ project }: Place) => launch(app, project, 'two'),
  begin: (_: Place, id: string) => move(id, 'QUEUED', 'RUNNING'),
  succeed: (_: Place, id: string) => move(id, 'RUNNING', 'SUCCEEDED'),
  terminate: (_: Place, id: string) =>
    mutate(app, 'terminateExecution', { by: { id }, cause: 'enough', force: true }),
  archive: (_: Place, id: string) => mutate(app, 'updateExecution', { by: { id }, state: 'ARCHIVED' }),
  restore: (_: Place, id: string) => mutate(app, 'updateExecution', { by: { id }, state: 'ACTIVE' }),
  toProduction: (_: Place, id: string) =>
    db.execution.updateMany({ where: { id }, data: { domain: 'production' } }),
  remove: (_: Place, id: string) =>
    mutate(app, 'deleteExecutions', { executions: [{ id }] }, 'results { error { message } }'),
  fold: () => foldExecutionCounts(3),
} as const;
const names = Object.keys(steps) as (keyof typeof steps)[];

describe('Project.executionCounts', () => {
  it('says what counting says, to whoever asks, whatever has happened at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
        async (turns) => {
          const place = await newPlace();
          const reader = await newReader(place);
          for (const step of ['launch', 'launch', 'launchHidden'] as const) await steps[step](place);
          for (const turn of turns) {
            const all = await db.execution.findMany({ where: { projectId: place.projectId } });
            await Promise.all(
              turn.map((step, at) => steps[step](place, all[at % all.length]?.id ?? newId())),
            );
          }
          for (const authorization of [app.admin, reader])
            expect(await countsOf(place, '', authorization)).toEqual(
              await countsOf(place, COUNTED, authorization),
            );
          const before = await countsOf(place, '');
          await Promise.all([foldExecutionCounts(1000), foldExecutionCounts(1000)]);
          expect(await countsOf(place, '')).toEqual(before);
        },
      ),
      { numRuns: 8 },
    );
  }, 240_000);

  it('moves an execution through all of these steps', async () => {
    const place = await newPlace();
    const id = await launch(app, place.project, 'one');
    const active = async () => (await countsOf(place, '')).active;
    const all = async () => (await countsOf(place, '')).all;
    expect(await active()).toEqual([{ phase: 'QUEUED', count: 1 }]);
    await steps.begin(place, id);
    expect(await active()).toEqual([{ phase: 'RUNNING', count: 1 }]);
    await steps.succeed(place, id);
    expect(await active()).toEqual([{ phase: 'SUCCEEDED', count: 1 }]);
    await steps.archive(place, id);
    expect([await active(), await all()]).toEqual([[], [{ phase: 'SUCCEEDED', count: 1 }]]);
    await steps.toProduction(place, id);
    expect((await countsOf(place, '')).production).toEqual([{ phase: 'SUCCEEDED', count: 1 }]);
    await steps.remove(place, id);
    expect(await all()).toEqual([]);
  });

  it('reads no execution, unless the filter is about more than the numbers', async () => {
    const place = await newPlace();
    const reader = await newReader(place);
    const readsExecutions = async (condition: string) => {
      const { statements } = await countStatements(() => countsOf(place, condition, reader));
      return statements.some((text) => /(from|join) executions\b/.test(text));
    };
    expect(await readsExecutions('')).toBe(false);
    for (const condition of [COUNTED, 'modes: [MANUAL]', 'tags: ["a"]', 'launchEntity: TASK'])
      expect(await readsExecutions(condition), condition).toBe(true);
  });

  it('needs no row for an event that changes no phase', async () => {
    const place = await newPlace();
    const id = await launch(app, place.project, 'one');
    const changes = async () =>
      (await database.query('select from execution_count_changes where project_id = $1', [place.projectId]))
        .rowCount;
    expect(await changes()).toBe(1);
    await database.query(
      'update executions set last_sequence = last_sequence + 1, phase = phase where id = $1',
      [id],
    );
    expect(await changes()).toBe(1);
  });
});

describe('foldExecutionCounts', () => {
  it('adds a limited number of changes at a time, each once', async () => {
    await foldExecutionCounts(100_000);
    const place = await newPlace();
    for (let at = 0; at < 3; at += 1) await launch(app, place.project, 'one');
    expect(await Promise.all([foldExecutionCounts(2), foldExecutionCounts(2)])).toContain(2);
    await foldExecutionCounts(2);
    expect(await foldExecutionCounts(2)).toBe(0);
    const { rows } = await database.query(
      'select phase, count::int from execution_counts where project_id = $1',
      [place.projectId],
    );
    expect(rows).toEqual([{ phase: 'QUEUED', count: 3 }]);
  });
});

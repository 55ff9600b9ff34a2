import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAtLeast, levels } from '../../src/authorization/domain/levels.ts';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { grant, newCaller } from '../support/users.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';

const project = 'levels';
let app: App;
const callers = new Map<Level, string>();
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  for (const level of levels) callers.set(level, await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' }));
});
afterAll(() => app.stop());

interface Made {
  readonly experiment: string;
  readonly run: string;
}
type Prepare = (made: Made) => Promise<unknown>;
const none: Prepare = async () => {};
const by = ({ experiment }: Made) => ({ by: { id: experiment } });
const byRun = ({ run }: Made) => ({ by: { id: run } });

const operations: readonly (readonly [string, Level, (made: Made) => object, Prepare])[] = [
  ['updateExperiment', 'EDIT', (made) => ({ ...by(made), description: 'x' }), none],
  ['updateExperimentTags', 'EDIT', (made) => ({ ...by(made), tags: [{ key: 'a', value: 'b' }] }), none],
  ['deleteExperimentTags', 'EDIT', (made) => ({ ...by(made), keys: ['a'] }), none],
  ['deleteExperiment', 'MANAGE', by, none],
  ['restoreExperiment', 'MANAGE', by, (made) => mutate(app, 'deleteExperiment', by(made))],
  ['publishExperiment', 'MANAGE', by, none],
  ['createRun', 'EDIT', ({ experiment }) => ({ experiment: { id: experiment } }), none],
  ['updateRun', 'EDIT', (made) => ({ ...byRun(made), name: 'x' }), none],
  ['updateRunTags', 'EDIT', (made) => ({ ...byRun(made), tags: [{ key: 'a', value: 'b' }] }), none],
  ['deleteRunTags', 'EDIT', (made) => ({ ...byRun(made), keys: ['a'] }), none],
  ['deleteRun', 'MANAGE', byRun, none],
  ['restoreRun', 'MANAGE', byRun, (made) => mutate(app, 'deleteRun', byRun(made))],
];

function expected(level: Level, needed: Level): string {
  if (!isAtLeast(level, 'READ')) return 'NOT_FOUND';
  return isAtLeast(level, needed) ? 'OK' : 'PERMISSION_DENIED';
}

let made = 0;
async function prepared(level: Level, prepare: Prepare): Promise<Made> {
  const experiment = await makeExperiment(app, project, `made ${++made}`);
  const run = await makeRun(app, experiment);
  await grant(callers.get(level) ?? '', 'EXPERIMENT', experiment, level);
  await prepare({ experiment, run });
  return { experiment, run };
}

describe('the level on the experiment that an operation needs', () => {
  it.each(operations)('%s: %s', async (field, needed, inputOf, prepare) => {
    for (const level of levels) {
      const input = inputOf(await prepared(level, prepare));
      const answer = await mutate(app, field, input, '', callers.get(level));
      expect([level, endOf(answer)]).toEqual([level, expected(level, needed)]);
    }
  });

  it.each([
    ['experiment', 'query ($id: ID!) { experiment(by: { id: $id }) { id } }'],
    ['run', 'query ($id: ID!) { run(by: { id: $id }) { id } }'],
  ] as const)('%s: READ', async (noun, document) => {
    for (const level of levels) {
      const found = await prepared(level, none);
      const { errors } = await app.ask(document, { id: found[noun] }, callers.get(level));
      expect([level, errors?.[0]?.extensions.code ?? 'OK']).toEqual([level, expected(level, 'READ')]);
    }
  });

  it('comes from the project when the experiment has no grant, and is none when the experiment is closed', async () => {
    const caller = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    const { data } = await app.ask(`{ project(by: { identifier: "${project}" }) { id } }`);
    await grant(caller, 'PROJECT', data.project.id, 'MANAGE');
    const [open, closed] = [
      await makeExperiment(app, project, 'open'),
      await makeExperiment(app, project, 'closed'),
    ];
    await grant(caller, 'EXPERIMENT', closed, 'NO_PERMISSIONS');
    const remove = (experiment: string) =>
      mutate(app, 'deleteExperiment', { by: { id: experiment } }, '', caller);
    expect(endOf(await remove(open))).toBe('OK');
    expect(endOf(await remove(closed))).toBe('NOT_FOUND');
  });
});

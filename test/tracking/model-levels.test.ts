import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAtLeast, levels } from '../../src/authorization/domain/levels.ts';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { grant, newCaller } from '../support/users.ts';
import { makeModel, makeVersion, source } from './model-seed.ts';

const project = 'levels';
let app: App;
const callers = new Map<Level, string>();
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  for (const level of levels) callers.set(level, await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' }));
});
afterAll(() => app.stop());

type InputOf = (id: string) => object;
const by: InputOf = (id) => ({ by: { id } });
const ofModel: InputOf = (id) => ({ model: { id } });
const ofVersion: InputOf = (id) => ({ by: { key: { model: { id }, version: 1 } } });
const none = async (_id: string): Promise<unknown> => null;

/** Source: MLflow's table of permissions. */
const operations: readonly (readonly [string, Level, InputOf, (id: string) => Promise<unknown>])[] = [
  ['updateRegisteredModel', 'EDIT', (id) => ({ ...by(id), description: 'x' }), none],
  ['updateRegisteredModelTags', 'EDIT', (id) => ({ ...by(id), tags: [{ key: 'a', value: 'b' }] }), none],
  ['deleteRegisteredModelTags', 'EDIT', (id) => ({ ...by(id), keys: ['a'] }), none],
  ['deleteRegisteredModel', 'MANAGE', by, none],
  ['restoreRegisteredModel', 'MANAGE', by, (id) => mutate(app, 'deleteRegisteredModel', by(id))],
  ['publishRegisteredModel', 'MANAGE', by, none],
  ['createModelVersion', 'EDIT', (id) => ({ ...ofModel(id), source }), none],
  ['updateModelVersion', 'EDIT', (id) => ({ ...ofVersion(id), description: 'x' }), none],
  ['updateModelVersionTags', 'EDIT', (id) => ({ ...ofVersion(id), tags: [{ key: 'a', value: 'b' }] }), none],
  ['deleteModelVersionTags', 'MANAGE', (id) => ({ ...ofVersion(id), keys: ['a'] }), none],
  ['deleteModelVersion', 'MANAGE', ofVersion, none],
  ['updateModelAlias', 'EDIT', (id) => ({ ...ofModel(id), alias: 'champion', version: 1 }), none],
  [
    'deleteModelAlias',
    'MANAGE',
    (id) => ({ ...ofModel(id), alias: 'champion' }),
    (id) => mutate(app, 'updateModelAlias', { ...ofModel(id), alias: 'champion', version: 1 }),
  ],
];

function expected(level: Level, needed: Level): string {
  if (!isAtLeast(level, 'READ')) return 'NOT_FOUND';
  return isAtLeast(level, needed) ? 'OK' : 'PERMISSION_DENIED';
}

let made = 0;
async function prepared(level: Level): Promise<string> {
  const id = await makeModel(app, project, `made ${++made}`);
  await makeVersion(app, id);
  await grant(callers.get(level) ?? '', 'REGISTERED_MODEL', id, level);
  return id;
}

describe('the level on the model that an operation needs', () => {
  it.each(operations)('%s: %s', async (field, needed, inputOf, prepare) => {
    for (const level of levels) {
      const id = await prepared(level);
      await prepare(id);
      const answer = await mutate(app, field, inputOf(id), '', callers.get(level));
      expect([level, endOf(answer)]).toEqual([level, expected(level, needed)]);
    }
  });

  it.each([
    ['registeredModel', 'query ($id: ID!) { registeredModel(by: { id: $id }) { id } }'],
    [
      'modelVersion',
      'query ($id: ID!) { modelVersion(by: { key: { model: { id: $id }, version: 1 } }) { id } }',
    ],
  ])('%s: READ', async (_field, document) => {
    for (const level of levels) {
      const { errors } = await app.ask(document, { id: await prepared(level) }, callers.get(level));
      expect([level, errors?.[0]?.extensions.code ?? 'OK']).toEqual([level, expected(level, 'READ')]);
    }
  });

  it('is capped by the role: an annotator with MANAGE can only read', async () => {
    const id = await prepared('READ');
    const annotator = await newCaller({ role: 'ANNOTATOR', level: 'NO_PERMISSIONS' });
    await grant(annotator, 'REGISTERED_MODEL', id, 'MANAGE');
    const input = { ...by(id), description: 'x' };
    expect(endOf(await mutate(app, 'updateRegisteredModel', input, '', annotator))).toBe('PERMISSION_DENIED');
  });
});

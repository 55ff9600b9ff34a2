import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { createTask, taskInput } from '../support/seed.ts';
import { newUser } from '../support/users.ts';

let app: App;
let projectId: string;
const by = { identifier: 'flights' };
const given = {
  name: 'Flights',
  description: 'Where they go',
  labels: [{ key: 'team', value: 'vision' }],
};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await mutate(app, 'registerProject', { identifier: 'flights', ...given });
  projectId = (await db.project.findFirstOrThrow({ where: { identifier: 'flights' } })).id;
});
afterAll(() => app.stop());

const fields = 'project { id identifier name description labels { key value } state }';
const update = (changes: object, authorization?: string) =>
  mutate(app, 'updateProject', { by, ...changes }, fields, authorization);
const auditOf = () =>
  db.auditEvent.findMany({ where: { action: 'project:update', outcome: 'DONE' }, orderBy: { id: 'asc' } });

describe('updateProject', () => {
  it('changes only what is given, and records it once', async () => {
    expect(await update({ description: 'Where they went' })).toMatchObject({
      project: { ...given, description: 'Where they went', state: 'ACTIVE' },
    });
    expect(await update({ name: 'Air', labels: [{ key: 'team', value: 'air' }] })).toMatchObject({
      project: { name: 'Air', description: 'Where they went', labels: [{ key: 'team', value: 'air' }] },
    });
    await update({ name: 'Air' });
    expect(await auditOf()).toMatchObject([
      { before: { description: given.description }, after: { description: 'Where they went' } },
      {
        before: { name: 'Flights', labels: { team: 'vision' } },
        after: { name: 'Air', labels: { team: 'air' } },
      },
    ]);
  });

  it('clears a description and labels that are given as empty, and keeps those that are null', async () => {
    await update({ description: 'x', labels: [{ key: 'a', value: 'b' }] });
    expect(await update({ name: 'Kept', description: null, labels: null })).toMatchObject({
      project: { description: 'x', labels: [{ key: 'a', value: 'b' }] },
    });
    expect(await update({ description: '', labels: [] })).toMatchObject({
      project: { description: '', labels: [] },
    });
  });

  it('archives a project, which then accepts nothing new, and restores it', async () => {
    expect(await update({ state: 'ARCHIVED' })).toMatchObject({ project: { state: 'ARCHIVED' } });
    expect(await createTask(app, taskInput('flights', 'double'))).toMatchObject({
      problems: [{ code: 'InactiveProject' }],
    });
    const { data } = await app.ask('{ projects { nodes { identifier } } }');
    expect(data.projects.nodes).toEqual([]);
    // A change of another field leaves the state alone.
    expect(await update({ name: 'Old' })).toMatchObject({ project: { state: 'ARCHIVED' } });
    expect(await update({ state: 'ACTIVE' })).toMatchObject({ project: { state: 'ACTIVE' } });
    expect(await createTask(app, taskInput('flights', 'double'))).toMatchObject({
      __typename: 'CreateTaskPayload',
    });
  });

  it.each([
    ['name', { name: ' ' }],
    ['name', { name: 'n'.repeat(65) }],
    ['description', { description: 'd'.repeat(301) }],
    ['labels', { labels: [{ key: '-', value: 'x' }] }],
    ['state', { state: 'SYSTEM_GENERATED' }],
    ['state', { state: 'SYSTEM_ARCHIVED' }],
  ])('refuses a wrong %s: %j', async (field, changes) => {
    const answer = await update(changes);
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(answer['problems'][0].path.slice(0, 2)).toEqual(['input', field]);
  });

  it('takes texts of the largest length', async () => {
    const largest = { name: 'n'.repeat(64), description: 'd'.repeat(300) };
    expect(await update(largest)).toMatchObject({ project: largest });
  });

  it('requires MANAGE, and does not tell a stranger that the project exists', async () => {
    const withLevel = (level: Level) => newUser({ grants: [{ type: 'PROJECT', id: projectId, level }] });
    const [editor, manager, stranger] = [await withLevel('EDIT'), await withLevel('MANAGE'), await newUser()];
    expect(await update({ name: 'x' }, editor.authorization)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await update({ name: 'x' }, stranger.authorization)).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await update({ name: 'Mine' }, manager.authorization)).toMatchObject({
      project: { name: 'Mine' },
    });
  });

  it('loses no change of many that come at the same time', async () => {
    await Promise.all([
      update({ name: 'Together' }),
      update({ description: 'at once' }),
      update({ labels: [{ key: 'all', value: 'there' }] }),
    ]);
    expect(await update({ state: 'ACTIVE' })).toMatchObject({
      project: { name: 'Together', description: 'at once', labels: [{ key: 'all', value: 'there' }] },
    });
  });
});

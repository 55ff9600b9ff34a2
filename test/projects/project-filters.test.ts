/** `projects` with Flyte's filters. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { make } from '../support/mutate.ts';
import { newCaller } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const identifier of ['birds', 'fish', 'moths'])
    await make(
      app,
      'registerProject',
      { identifier, name: `All ${identifier}`, labels: [{ key: 'kind', value: identifier }] },
      'project',
    );
  await db.project.update({ where: { id: await idOf('moths') }, data: { state: 'ARCHIVED' } });
});
afterAll(() => app.stop());

const idOf = async (identifier: string) => (await db.project.findFirstOrThrow({ where: { identifier } })).id;

const ask = (filters: string, caller?: string) =>
  app.ask(
    'query ($filters: String) { projects(filters: $filters) { totalCount nodes { identifier } } }',
    { filters },
    caller,
  );
async function found(filters: string, caller?: string) {
  const { data, errors } = await ask(filters, caller);
  expect(errors).toBeUndefined();
  const list = data.projects.nodes.map(({ identifier }: Answer) => identifier);
  expect(data.projects.totalCount).toBe(list.length);
  return list;
}

describe('filters of projects', () => {
  it.each([
    ['eq(identifier,fish)', ['fish']],
    ['eq(project.name,All birds)', ['birds']],
    ['contains(labels,"fish")', ['fish']],
    ['value_in(state,0;ARCHIVED)', ['birds', 'fish', 'moths']],
    ['eq(description,)+gt(created_at,2020-01-01T00:00:00Z)+ne(identifier,fish)', ['birds', 'moths']],
    ['lt(updated_at,2020-01-01T00:00:00Z)', []],
  ])('%s', async (filters, expected) => {
    expect(await found(filters)).toEqual(expected);
  });

  it('show archived projects, which the list hides without a filter', async () => {
    expect(await found('')).toEqual(['birds', 'fish']);
    expect(await found('contains(name,All)')).toEqual(['birds', 'fish', 'moths']);
  });

  it('find only projects that the caller may read', async () => {
    const grants = [{ type: 'PROJECT' as const, id: await idOf('fish'), level: 'READ' as const }];
    expect(await found('contains(name,All)', await newCaller({ grants }))).toEqual(['fish']);
  });

  it('with an unknown field are INVALID_ARGUMENT', async () => {
    const { errors } = await ask('eq(owner,me)');
    expect(errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
    expect(errors?.[0]?.message).toContain('owner is not a field of this list');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const create = (input: object): Promise<Answer> =>
  mutate(app, 'createQueue', input, 'queue { name priorityFactor cordoned labels { key value } }');

describe('createQueue', () => {
  it('creates an open queue, with a priority factor of 1 by default', async () => {
    expect((await create({ name: 'plain' })).queue).toEqual({
      name: 'plain',
      priorityFactor: 1,
      cordoned: false,
      labels: [],
    });
    const labels = [{ key: 'team', value: 'vision' }];
    expect((await create({ name: 'rich', priorityFactor: 2.5, labels })).queue).toMatchObject({
      priorityFactor: 2.5,
      labels,
    });
  });

  it.each([0, -1, 0.99])('refuses a priority factor of %d', async (priorityFactor) => {
    expect(await create({ name: 'unfair', priorityFactor })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'priorityFactor'], code: 'InvalidValue' }],
    });
  });

  it('refuses a priority factor that is infinite', async () => {
    const answer = await app.ask(
      'mutation { createQueue(input: { name: "endless", priorityFactor: 1e999 }) { ... on Error { path } } }',
    );
    expect(answer.data.createQueue).toEqual({ path: ['input', 'priorityFactor'] });
  });

  it.each([
    ['no name', ' '],
    ['a name with a slash, which is for the queues of projects', 'a/b'],
    ['a name of 256 characters', 'x'.repeat(256)],
  ])('refuses %s', async (_what, name) => {
    expect(await create({ name })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'name'], code: 'InvalidValue' }],
    });
  });

  it.each([
    ['an empty key', [{ key: '', value: 'x' }], ''],
    ['a key with a space', [{ key: 'my team', value: 'x' }], 'my team'],
    ['a value with a slash', [{ key: 'team', value: 'a/b' }], 'team'],
  ])('refuses labels with %s', async (_what, labels, key) => {
    expect(await create({ name: 'mislabelled', labels })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'labels', key], code: 'InvalidValue' }],
    });
  });

  it('accepts 16 labels, and values that are empty, but not 17 labels', async () => {
    const labels = Array.from({ length: 17 }, (_, at) => ({ key: `label-${at}`, value: '' }));
    expect((await create({ name: 'labelled', labels: labels.slice(1) })).queue.labels).toHaveLength(16);
    expect(await create({ name: 'overlabelled', labels })).toMatchObject({
      problems: [{ path: ['input', 'labels'], message: 'must have at most 16 labels' }],
    });
  });

  it('accepts a name of 255 characters, once', async () => {
    const name = 'x'.repeat(255);
    expect((await create({ name })).queue.name).toBe(name);
    expect(await create({ name })).toMatchObject({ code: 'ALREADY_EXISTS', path: ['input', 'name'] });
  });

  it('requires SUPERUSER', async () => {
    expect((await mutate(app, 'createQueue', { name: 'not yours' }, '', app.executor)).refused).toBe(
      'PERMISSION_DENIED',
    );
  });
});

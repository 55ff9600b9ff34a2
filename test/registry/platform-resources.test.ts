import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceEntries, resourcesOnPlatform } from '../../src/registry/domain/platform-resources.ts';
import { resourceNames } from '../../src/registry/domain/task-templates.ts';
import { isGreater, parseQuantity } from '../../src/values/quantities.ts';
import { update } from '../attributes/attributes-seed.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, keyOf, registerProject } from '../support/seed.ts';

const entries = (amounts: object) => Object.entries(amounts).map(([name, value]) => ({ name, value }));
/** The resources of a container, as `request/limit` by name. */
function resolve(requests: object, limits: object, platform: object): Record<string, string> {
  const resolved = resourcesOnPlatform(
    { requests: entries(requests), limits: entries(limits) } as never,
    platform,
  );
  return Object.fromEntries(
    resolved.requests.map(({ name, value }, at) => {
      expect(resolved.limits[at]?.name).toBe(name);
      return [name, `${value}/${resolved.limits[at]?.value}`];
    }),
  );
}

const defaults = { cpu: '2', memory: '200Mi' };

describe('the resources of a container', () => {
  it.each([
    ['gets the defaults of the platform', {}, {}, { defaults }, { CPU: '2/2', MEMORY: '200Mi/200Mi' }],
    [
      'gets what the task asks for, whatever the defaults are',
      { CPU: '1', MEMORY: '1Gi' },
      { CPU: '4' },
      { defaults },
      { CPU: '1/4', MEMORY: '1Gi/1Gi' },
    ],
    [
      'requests its limit if it requests nothing',
      {},
      { CPU: '500m' },
      { defaults },
      { CPU: '500m/500m', MEMORY: '200Mi/200Mi' },
    ],
    [
      'gets at most the limit of the platform',
      { CPU: '8', MEMORY: '64Mi' },
      { CPU: '16', MEMORY: '2Gi' },
      { limits: { cpu: '4', memory: '1Gi' } },
      { CPU: '4/4', MEMORY: '64Mi/1Gi' },
    ],
    [
      'gets at most this also by default, and keeps the text of an equal amount',
      {},
      {},
      { defaults: { cpu: '2', memory: '1024Mi' }, limits: { cpu: '1', memory: '1Gi' } },
      { CPU: '1/1', MEMORY: '1024Mi/1024Mi' },
    ],
    [
      'gets CPU and memory up to the limit of the platform without defaults',
      {},
      {},
      { limits: { cpu: '4', memory: '1Gi', gpu: '2', ephemeralStorage: '1Gi' } },
      { CPU: '4/4', MEMORY: '1Gi/1Gi' },
    ],
    [
      'gets a GPU and storage by default',
      {},
      {},
      { defaults: { gpu: '1', ephemeralStorage: '1Gi' } },
      { GPU: '1/1', EPHEMERAL_STORAGE: '1Gi/1Gi' },
    ],
    ['gets a GPU that it asks for', { GPU: '2' }, {}, { limits: { gpu: '1' } }, { GPU: '1/1' }],
    ['gets nothing if nobody says anything', {}, {}, {}, {}],
  ])('%s', (_name, requests, limits, platform, expected) => {
    expect(resolve(requests, limits, platform)).toEqual(expected);
  });

  it('never has a request above its limit, nor above that of the platform', () => {
    const amount = fc.integer({ min: 0, max: 20 }).map((tenths) => `${tenths * 100}m`);
    const some = fc.dictionary(fc.constantFrom(...resourceNames), amount);
    const platform = fc.record({
      defaults: fc.dictionary(fc.constantFrom('cpu', 'memory', 'gpu'), amount),
      limits: fc.dictionary(fc.constantFrom('cpu', 'memory', 'gpu'), amount),
    });
    const isAbove = (one = '0', other = '0') => {
      const [a, b] = [parseQuantity(one), parseQuantity(other)];
      return a !== null && b !== null && isGreater(a, b);
    };
    fc.assert(
      fc.property(some, some, platform, (asked, limits, given) => {
        const valid = Object.fromEntries(
          Object.entries(asked).filter(
            ([name, value]) => limits[name] === undefined || !isAbove(value, limits[name]),
          ),
        );
        const most = Object.fromEntries(
          resourceEntries(given.limits).map(({ name, value }) => [name, value]),
        );
        for (const [name, text] of Object.entries(resolve(valid, limits, given))) {
          const [request, limit] = text.split('/');
          expect(isAbove(request, limit), `${name} ${text}`).toBe(false);
          if (most[name] !== undefined) expect(isAbove(limit, most[name]), `${name} ${text}`).toBe(false);
        }
      }),
    );
  });
});

describe('createTask', () => {
  const project = 'limited';
  let app: LocalApp;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
    await registerProject(app, project);
  });
  afterAll(() => app.stop());

  let count = 0;
  const create = (resources: object, at = domain) =>
    mutate(app, 'createTask', {
      key: { ...keyOf(project, `t${++count}`), domain: at },
      template: {
        ...{ type: 'container', metadata: {}, interface: {} },
        container: { image: 'x', resources },
      },
    });

  it('accepts any amount on a platform without limits', async () => {
    expect(await create({ requests: entries({ CPU: '1000' }) })).toMatchObject({
      __typename: 'CreateTaskPayload',
    });
  });

  it('refuses requests and limits above those of the project and domain, and names each', async () => {
    await update(app, { project }, { taskResource: { limits: { cpu: '8' } } });
    await update(app, { project, domain }, { taskResource: { limits: { cpu: '2', memory: '1Gi' } } });
    await update(app, { project, domain, workflow: 'w' }, { taskResource: { limits: { cpu: '1' } } });
    const resources = { requests: entries({ CPU: '2001m' }), limits: entries({ CPU: '3', MEMORY: '2Gi' }) };
    const answer = await create(resources);
    expect(answer.problems.map(({ path }: { path: string[] }) => path.slice(4).join('.'))).toEqual([
      'requests.CPU',
      'limits.CPU',
      'limits.MEMORY',
    ]);
    expect(await create({ limits: entries({ CPU: '2', MEMORY: '1Gi' }) })).toMatchObject({
      __typename: 'CreateTaskPayload',
    });
    expect(await create({ limits: entries({ CPU: '8', MEMORY: '2Gi' }) }, 'staging')).toMatchObject({
      __typename: 'CreateTaskPayload',
    });
    expect(await create({ limits: entries({ CPU: '9' }) }, 'staging')).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { domain, registerProject } from '../support/seed.ts';
import { type Address, read, remove, tags, update } from './attributes-seed.ts';

const project = 'cleared';
const queue = 'EXECUTION_QUEUE';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
});
afterAll(() => app.stop());

const whole: Address = { project };
const inDomain: Address = { project, domain };
const workflow: Address = { project, domain, workflow: 'train' };
const scopes = [
  ['a project', whole],
  ['a domain', inDomain],
  ['a workflow', workflow],
] as const;

describe('deleting attributes', () => {
  it.each(scopes)('of %s answers the record and leaves those of all other scopes', async (name, address) => {
    for (const [other, one] of scopes) await update(app, one, tags(other));
    await update(app, { project, domain: 'staging' }, tags('staging'));
    const deleted = await remove(app, address, queue);
    expect(deleted.attributes.executionQueue.tags).toEqual([name]);
    const left = [];
    for (const [other, one] of scopes) {
      const record = await remove(app, one, queue);
      if (record) left.push(other);
    }
    expect(left).toEqual(scopes.map(([other]) => other).filter((other) => other !== name));
    expect(await read(app, { project, domain: 'staging' }, queue)).toMatchObject({ domain: 'staging' });
  });

  it.each(scopes)('of %s that do not exist succeeds', async (_name, address) => {
    await remove(app, address, queue);
    expect(await remove(app, address, queue)).toBeNull();
  });

  it('leaves other kinds', async () => {
    await update(app, whole, tags('a'));
    await update(app, whole, { clusterAssignment: { clusterPoolName: 'pool' } });
    await remove(app, whole, queue);
    expect(await read(app, whole, queue)).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await read(app, whole, 'CLUSTER_ASSIGNMENT')).toMatchObject({
      resourceType: 'CLUSTER_ASSIGNMENT',
    });
  });
});

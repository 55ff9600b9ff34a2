import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceExecutionConfig } from '../../src/attributes/domain/execution-config.ts';
import { askAlike } from '../support/alike.ts';
import { type App, startApp } from '../support/app.ts';
import { domain, registerProject } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { type Address, archive, read, remove, scopeName, tags, update } from './attributes-seed.ts';

let app: App;
let made = 0;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** A project without attributes. */
async function newProject() {
  const project = `queried-${++made}`;
  const id = await registerProject(app, project);
  const whole: Address = { project };
  const inDomain: Address = { project, domain };
  const workflow: Address = { project, domain, workflow: 'train' };
  return { project, id, whole, inDomain, workflow };
}

const queue = 'EXECUTION_QUEUE';
const config = 'WORKFLOW_EXECUTION_CONFIG';

describe('workflowAttributes', () => {
  it('falls back from the workflow to its domain and to the project, with the keys of the record', async () => {
    const { whole, inDomain, workflow } = await newProject();
    await update(app, whole, tags('project'));
    await update(app, inDomain, tags('domain'));
    await update(app, workflow, tags('workflow'));
    const found = async () => {
      const record = await read(app, workflow, queue);
      return [record.attributes.executionQueue.tags[0], record.domain, record.workflowName];
    };
    expect(await found()).toEqual(['workflow', domain, 'train']);
    await remove(app, workflow, queue);
    expect(await found()).toEqual(['domain', domain, null]);
    await remove(app, inDomain, queue);
    expect(await found()).toEqual(['project', null, null]);
  });

  it('ignores other workflows, domains and kinds', async () => {
    const { project, inDomain, workflow } = await newProject();
    await update(app, { ...inDomain, workflow: 'other' }, tags('other workflow'));
    await update(app, { project, domain: 'staging' }, tags('other domain'));
    await update(app, workflow, { clusterAssignment: { clusterPoolName: 'pool' } });
    expect(await read(app, workflow, queue)).toMatchObject({ refused: 'NOT_FOUND' });
  });
});

describe('projectDomainAttributes', () => {
  it('falls back to the project and never reads a workflow', async () => {
    const { whole, inDomain, workflow } = await newProject();
    await update(app, workflow, tags('workflow'));
    expect(await read(app, inDomain, queue)).toMatchObject({ refused: 'NOT_FOUND' });
    await update(app, whole, tags('project'));
    expect(await read(app, inDomain, queue)).toMatchObject({ domain: null, workflowName: null });
    await update(app, inDomain, tags('domain'));
    expect(await read(app, inDomain, queue)).toMatchObject({ domain, workflowName: null });
  });
});

describe('projectAttributes', () => {
  it('reads only the record of the project', async () => {
    const { project, whole, inDomain, workflow } = await newProject();
    await update(app, inDomain, tags('domain'));
    await update(app, workflow, tags('workflow'));
    expect(await read(app, whole, queue)).toMatchObject({
      refused: 'NOT_FOUND',
      message: `matchable attributes EXECUTION_QUEUE of ${project} not found`,
    });
    await update(app, whole, tags('project'));
    expect((await read(app, whole, queue)).attributes.executionQueue.tags).toEqual(['project']);
  });

  it('answers the configuration of the server if the project has none', async () => {
    const { project, whole, inDomain } = await newProject();
    await update(app, inDomain, { workflowExecutionConfig: { maxParallelism: 3 } });
    expect(serviceExecutionConfig).toEqual({ maxParallelism: 25 });
    expect(await read(app, whole, config)).toMatchObject({
      ...{ projectIdentifier: project, domain: null, workflowName: null, resourceType: config },
      attributes: { workflowExecutionConfig: { maxParallelism: 25, interruptible: null, labels: [] } },
      ...{ createdAt: null, updatedAt: null },
    });
  });

  it('fills only what the configuration of the project does not set', async () => {
    const { whole } = await newProject();
    const parallelism = async (fields: object) => {
      await update(app, whole, { workflowExecutionConfig: fields });
      return (await read(app, whole, config)).attributes.workflowExecutionConfig;
    };
    expect(await parallelism({ interruptible: false })).toMatchObject({
      maxParallelism: 25,
      interruptible: false,
    });
    expect(await parallelism({ maxParallelism: 0 })).toMatchObject({
      maxParallelism: 25,
      interruptible: null,
    });
    expect(await parallelism({ maxParallelism: 4 })).toMatchObject({ maxParallelism: 4 });
    expect((await read(app, whole, config)).updatedAt).toEqual(expect.any(String));
  });

  it('fills nothing in the answers about domains and workflows', async () => {
    const { inDomain, workflow } = await newProject();
    expect(await read(app, inDomain, config)).toMatchObject({ refused: 'NOT_FOUND' });
    await update(app, inDomain, { workflowExecutionConfig: { interruptible: true } });
    const { attributes } = await read(app, workflow, config);
    expect(attributes.workflowExecutionConfig.maxParallelism).toBeNull();
  });
});

describe('a query for attributes', () => {
  const scopes = ['whole', 'inDomain', 'workflow'] as const;

  it.each(scopes)('reads archived projects: %s', async (scope) => {
    const made = await newProject();
    await update(app, made[scope], tags('kept'));
    await archive(made.project);
    expect((await read(app, made[scope], queue)).attributes.executionQueue.tags).toEqual(['kept']);
  });

  it.each(scopes)(
    'needs READ on the project, and is the same for hidden and absent ones: %s',
    async (scope) => {
      const made = await newProject();
      const address = made[scope];
      await update(app, address, tags('secret'));
      await update(app, address, { workflowExecutionConfig: { maxParallelism: 3 } });
      const grants = [{ type: 'PROJECT' as const, id: made.id, level: 'READ' as const }];
      const reader = await newCaller({ role: 'GUEST', grants });
      expect(await read(app, address, queue, reader)).toMatchObject({ resourceType: queue });
      const strangers = [
        await newCaller({ level: 'NO_PERMISSIONS' }),
        await newCaller({ role: 'ADMIN', tenantId: await newTenant(`elsewhere-${made.project}`) }),
      ];
      for (const stranger of strangers)
        for (const type of [queue, config]) {
          const answer = await askAlike(
            (project) => read(app, { ...address, project }, type, stranger),
            [made.project, 'queried-absent'],
          );
          expect(answer).toMatchObject({
            refused: 'NOT_FOUND',
            message: `project ${made.project} not found`,
          });
        }
    },
  );

  it.each(scopes)('takes one statement besides the project: %s', async (scope) => {
    const made = await newProject();
    await update(app, made.whole, tags('a'));
    await read(app, made[scope], queue);
    const { statements } = await statementsOf(() => read(app, made[scope], queue));
    expect(statements).toHaveLength(2);
    expect(statements.filter((text) => text.includes('matchable_attributes'))).toHaveLength(1);
  });

  it('finds the name of the scope', () => {
    expect(scopeName({ project: 'p', domain, workflow: 'w' })).toBe('Workflow');
  });
});

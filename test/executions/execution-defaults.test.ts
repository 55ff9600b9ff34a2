/** What the configuration of the server gives executions. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterFor } from '../../src/executions/domain/execution-clusters.ts';
import { update } from '../attributes/attributes-seed.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

vi.hoisted(() => {
  process.env['QUEUEING_BUDGETS'] = 'HIGH=60,LOW=3600';
  process.env['QUALITY_OF_SERVICE'] = 'development=LOW';
  process.env['CLUSTER_POOLS'] = 'development=small';
  process.env['EXECUTION_CLUSTER_LABEL'] = 'gpu';
  process.env['EXECUTION_CLUSTERS'] = 'gpu=east,gpu=west,cpu=north';
  process.env['EXECUTION_LABEL_LIMIT'] = '2';
  process.env['EXECUTION_ANNOTATION_LIMIT'] = '1';
  process.env['TASK_RESOURCE_LIMITS'] = 'cpu=4';
});

const project = 'configured';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

const fields = `execution {
  id name queueingBudget clusterAssignment { clusterPoolName } executionClusterLabel { value } cluster
}`;
const create = async (more: object = {}): Promise<Answer> => {
  const input = { project, domain, launchPlan: { key: keyOf(project, 'one') }, ...more };
  const answer = await mutate(app, 'createExecution', input, fields);
  return answer.execution ?? answer;
};
const map = (...keys: readonly string[]) => keys.map((key) => ({ key, value: '' }));

describe('the configuration of the server', () => {
  it('gives an execution the budget, pool and label of its domain, if nothing else does', async () => {
    expect(await create()).toMatchObject({
      queueingBudget: 'PT1H',
      clusterAssignment: { clusterPoolName: 'small' },
      executionClusterLabel: { value: 'gpu' },
      cluster: null,
    });
    const asked = { qualityOfService: { tier: 'HIGH' }, executionClusterLabel: { value: 'cpu' } };
    expect(await create(asked)).toMatchObject({
      queueingBudget: 'PT1M',
      executionClusterLabel: { value: 'cpu' },
    });
    expect(await create({ clusterAssignment: { clusterPoolName: 'large' } })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'clusterAssignment'],
    });
  });

  it('gives an execution of an engine from outside to a cluster, which alone may report about it', async () => {
    const clusters = [
      ['gpu', 'east'],
      ['gpu', 'west'],
    ] as const;
    for (const name of ['a', 'b', 'c', 'd']) {
      const { cluster } = await create({ name, engine: 'EXTERNAL' });
      expect(cluster).toBe(clusterFor(name, 'gpu', clusters));
    }
    const execution = await create({ engine: 'EXTERNAL', executionClusterLabel: { value: 'cpu' } });
    expect(execution.cluster).toBe('north');
    const report = (producerId: string) =>
      mutate(app, 'createWorkflowEvent', {
        execution: { id: execution.id },
        ...{ phase: 'RUNNING', producerId, occurredAt: new Date().toISOString() },
      });
    expect(await report('east')).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await report('north')).not.toHaveProperty('code');
  });

  it('limits labels and annotations', async () => {
    expect(await create({ labels: map('a', 'b'), annotations: map('a') })).toHaveProperty('id');
    expect(await create({ labels: map('a', 'b', 'c') })).toMatchObject({ path: ['input', 'labels'] });
    expect(await create({ annotations: map('a', 'b') })).toMatchObject({ path: ['input', 'annotations'] });
  });

  it('limits the resources of tasks, unless attributes say otherwise', async () => {
    const register = (name: string, value: string) =>
      mutate(app, 'createTask', {
        key: keyOf(project, name),
        template: {
          ...{ type: 'container', metadata: {}, interface: {} },
          container: { image: 'x', resources: { requests: [{ name: 'CPU', value }] } },
        },
      });
    expect(await register('small', '4')).toMatchObject({ __typename: 'CreateTaskPayload' });
    expect(await register('large', '5')).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await update(app, { project }, { taskResource: { limits: { memory: '1Gi' } } });
    expect(await register('large', '5')).toMatchObject({ __typename: 'CreateTaskPayload' });
  });
});

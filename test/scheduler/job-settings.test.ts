import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { update } from '../attributes/attributes-seed.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  domain,
  integer,
  keyOf,
  launch,
  registerProject,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';

const project = 'jobs';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask('plain', {});
  await registerTask('spot', { interruptible: true });
  await registerFlow('plain', { a: {}, b: { interruptible: false }, c: { interruptible: true } });
  await registerFlow('spot', { a: {}, b: { interruptible: false } });
  await registerFlow(
    'default',
    { a: {}, b: { interruptible: false } },
    { task: 'plain', interruptible: true },
  );
  await registerFlow('many', Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`n${at}`, {}])));
});
afterAll(() => app.stop());

const registerTask = (name: string, metadata: object) =>
  mutate(app, 'createTask', {
    key: keyOf(project, name),
    template: {
      type: 'container',
      metadata,
      interface: { inputs: [{ name: 'x', type: integer }], outputs: [] },
      container: {
        ...{ image: 'node:20', command: ['true'], args: [] },
        env: [
          { key: 'A', value: 'task' },
          { key: 'B', value: 'task' },
        ],
        resources: { requests: [{ name: 'CPU', value: '3' }], limits: [] },
      },
    },
  });

async function registerFlow(
  name: string,
  nodes: Readonly<Record<string, object>>,
  { task = name, interruptible }: { task?: string; interruptible?: boolean } = {},
): Promise<void> {
  const template = {
    interface: { inputs: { variables: { x: { type: integer } } } },
    nodes: Object.entries(nodes).map(([id, metadata]) => ({
      id,
      metadata,
      inputs: [{ var: 'x', binding: { promise: { nodeId: '', var: 'x' } } }],
      taskNode: { referenceId: keyOf(project, name === 'many' ? 'plain' : task) },
    })),
    ...(interruptible !== undefined && { metadataDefaults: { interruptible } }),
  };
  const key = keyOf(project, name);
  const workflow = await createWorkflow(app, { key, flyte: { template } });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } });
}

/** The jobs of a new execution, by node. */
async function jobsOf(plan: string, settings: object = {}): Promise<Record<string, Answer>> {
  const id = await launch(app, project, plan, settings);
  await advanceExecution(id);
  const { id: jobSetId } = await db.jobSet.findUniqueOrThrow({ where: { ownerId: id } });
  const jobs: Answer[] = await db.job.findMany({ where: { jobSetId } });
  return Object.fromEntries(jobs.map((job) => [job.labels.node, job]));
}

describe('the job of an attempt', () => {
  it('has the variables of the execution, which replace those of the task', async () => {
    const envs = [
      { key: 'C', value: 'execution' },
      { key: 'B', value: 'execution' },
      { key: 'SLIPWAY_NODE_ID', value: 'execution' },
    ];
    const { a } = await jobsOf('plain', { envs });
    const { container, environment } = a?.spec ?? {};
    const variables = container.env.map(({ key, value }: Answer) => [key, value]);
    expect(variables).toEqual([
      ['A', 'task'],
      ['B', 'task'],
      ['C', 'execution'],
      ['B', 'execution'],
      ['SLIPWAY_NODE_ID', 'execution'],
    ]);
    // The executor takes the last value of a name, and these after all others.
    expect(environment.SLIPWAY_NODE_ID).toBe('a');
  });

  it('has five seconds to end after it was asked to', async () => {
    expect((await jobsOf('plain'))['a'].spec.terminationGraceSeconds).toBe(5);
  });

  it('has the labels and annotations of the execution beside its own', async () => {
    const labels = [
      { key: 'team', value: 'ml' },
      { key: 'node', value: 'mine' },
    ];
    const { a } = await jobsOf('plain', { labels, annotations: [{ key: 'note', value: 'x y' }] });
    expect(a).toMatchObject({
      labels: { team: 'ml', node: 'a', attempt: '0' },
      annotations: { note: 'x y' },
    });
    expect((await jobsOf('plain'))['a'].annotations).toEqual({});
  });

  it('is interruptible as the execution says, or else its node, its workflow or its task', async () => {
    const shown = async (plan: string, settings?: object) =>
      Object.entries(await jobsOf(plan, settings))
        .map(([node, { spec }]) => `${node}=${spec.interruptible}`)
        .sort();
    expect(await shown('plain')).toEqual(['a=false', 'b=false', 'c=true']);
    expect(await shown('spot')).toEqual(['a=true', 'b=false']);
    expect(await shown('default')).toEqual(['a=true', 'b=false']);
    expect(await shown('plain', { interruptible: true })).toEqual(['a=true', 'b=true', 'c=true']);
    expect(await shown('spot', { interruptible: false })).toEqual(['a=false', 'b=false']);
  });

  it('has the resources of its task, completed by the platform, and at most its limits', async () => {
    const resourcesOf = async () => (await jobsOf('plain'))['a'].spec.container.resources;
    const both = (all: object) => ({ requests: all, limits: all });
    expect(await resourcesOf()).toEqual(
      both([
        { name: 'CPU', value: '3' },
        { name: 'MEMORY', value: '200Mi' },
      ]),
    );
    const taskResource = { defaults: { memory: '1Gi' }, limits: { cpu: '2' } };
    await update(app, { project, domain, workflow: 'plain' }, { taskResource });
    expect(await resourcesOf()).toEqual(
      both([
        { name: 'CPU', value: '2' },
        { name: 'MEMORY', value: '1Gi' },
      ]),
    );
  });

  it('takes no further statements: a turn reads the settings once for all its jobs', async () => {
    const turn = async (plan: string) => {
      const id = await launch(app, project, plan, { maxParallelism: 0 });
      const { statements } = await statementsOf(() => advanceExecution(id));
      expect(await db.nodeExecution.count({ where: { executionId: id } })).toBe(plan === 'many' ? 20 : 3);
      return statements.length;
    };
    await turn('many');
    expect(await turn('many')).toBe(await turn('plain'));
  });
});

/** What tests need to be there, made through the API as a user would. */
import { expect } from 'vitest';
import type { Answer, App } from './app.ts';
import { make, mutate } from './mutate.ts';
import { eventually } from './waiting.ts';

export { eventually };

export const domain = 'development';

export const keyOf = (project: string, name: string, version = 'v1') => ({ project, domain, name, version });

export const registerProject = (app: App, identifier: string): Promise<string> =>
  make(app, 'registerProject', { identifier, name: identifier }, 'project');

type Types = Record<string, object>;
const variables = (types: Types) => Object.entries(types).map(([name, type]) => ({ name, type }));
export const integer = { simple: 'INTEGER' };

export interface TaskOptions {
  readonly version?: string;
  readonly inputs?: Types;
  readonly outputs?: Types;
  readonly retries?: number;
  readonly timeout?: string;
  /** Further fields of the metadata. */
  readonly metadata?: object;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** What its container requests, by Flyte's names, such as `{CPU: '1m'}`. */
  readonly requests?: Readonly<Record<string, string>>;
}

export function taskInput(project: string, name: string, options: TaskOptions = {}) {
  return {
    key: keyOf(project, name, options.version),
    template: {
      type: 'container',
      metadata: {
        retries: options.retries ?? 0,
        ...(options.timeout ? { timeout: options.timeout } : {}),
        ...options.metadata,
      },
      interface: {
        inputs: variables(options.inputs ?? { x: integer }),
        outputs: variables(options.outputs ?? { y: integer }),
      },
      container: {
        image: 'node:20',
        command: options.command ?? ['true'],
        args: options.args ?? [],
        resources: {
          requests: Object.entries(options.requests ?? {}).map(([name, value]) => ({ name, value })),
        },
      },
    },
  };
}

export const createTask = (app: App, input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'createTask', input, 'task { id digest }', authorization);

export async function registerTask(
  app: App,
  project: string,
  name: string,
  options?: TaskOptions,
): Promise<void> {
  const task = await createTask(app, taskInput(project, name, options));
  expect(task, JSON.stringify(task)).toMatchObject({ __typename: 'CreateTaskPayload' });
}

/** Node → the nodes whose `y` it takes as `x`; the first is bound, all are waited for. None: the workflow's `x`. */
export type Shape = Record<string, readonly string[]>;

export interface WorkflowOptions {
  readonly version?: string;
  readonly task?: string;
  /** Where the task is, unless in the same project. */
  readonly taskProject?: string;
  readonly onFailure?: string;
  /** The node whose `y` is the workflow's output `z`. */
  readonly output?: string;
}

export function workflowInput(project: string, name: string, shape: Shape, options: WorkflowOptions = {}) {
  const nodes = Object.entries(shape).map(([id, upstream]) => ({
    id,
    inputs: [{ var: 'x', binding: { promise: { nodeId: upstream[0] ?? '', var: upstream[0] ? 'y' : 'x' } } }],
    upstreamNodeIds: upstream.slice(1),
    taskNode: { referenceId: keyOf(options.taskProject ?? project, options.task ?? 'double') },
  }));
  const last = options.output ?? Object.keys(shape).at(-1);
  return {
    key: keyOf(project, name, options.version),
    template: {
      onFailure: options.onFailure ?? 'FAIL_IMMEDIATELY',
      interface: { inputs: variables({ x: integer }), outputs: variables({ z: integer }) },
      nodes,
      outputs: [{ var: 'z', binding: { promise: { nodeId: last, var: 'y' } } }],
    },
  };
}

export const createWorkflow = (app: App, input: object): Promise<Answer> =>
  mutate(app, 'createWorkflow', input, 'workflow { id digest }');

const planFields = 'launchPlan { id state expectedInputs { name required default } fixedInputs }';
export const createLaunchPlan = (app: App, input: object): Promise<Answer> =>
  mutate(app, 'createLaunchPlan', input, planFields);

/** A workflow of that shape with a launch plan of the same name, whose `x` is 1 unless given. */
export async function registerWorkflow(
  app: App,
  project: string,
  name: string,
  shape: Shape,
  options: WorkflowOptions = {},
): Promise<void> {
  const workflow = await createWorkflow(app, workflowInput(project, name, shape, options));
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  const key = keyOf(project, name, options.version);
  const plan = await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } });
  expect(plan, JSON.stringify(plan)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
}

export const createExecution = (app: App, input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'createExecution', input, 'execution { id name phase data { inputs } }', authorization);

/** Launches the plan of that name. @returns the execution's id. */
export const launch = (app: App, project: string, plan: string, more: object = {}): Promise<string> =>
  make(
    app,
    'createExecution',
    { project, domain, launchPlan: { key: keyOf(project, plan) }, ...more },
    'execution',
  );

const executionDocument = `query ($id: ID!) {
  execution(by: { id: $id }) {
    id phase error { code message kind } errorNodeId abort { cause principal { username } } duration startedAt endedAt
    data { inputs outputs } nodeCounts { phase count }
    nodeExecutions(first: 200) { edges { node {
      nodeId phase latestAttempt latestTaskPhase error { code message kind } data { inputs outputs }
      taskExecutions { edges { node { id retryAttempt phase reason error { code message kind } job { id state attemptedRuns runs { id state } } } } }
    } } }
  }
}`;

export async function readExecution(app: App, id: string): Promise<Answer> {
  const { data, errors } = await app.ask(executionDocument, { id });
  expect(errors).toBeUndefined();
  const execution = data.execution;
  const nodes = execution.nodeExecutions.edges.map((edge: Answer) => edge.node);
  return { ...execution, nodes: Object.fromEntries(nodes.map((node: Answer) => [node.nodeId, node])) };
}

const ended = new Set(['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT']);
export const untilEnded = (app: App, id: string) =>
  eventually(
    () => readExecution(app, id),
    (execution) => ended.has(execution.phase),
  );

/** Workflows with nodes of every kind, for tests. */
import { expect } from 'vitest';
import type { App } from './app.ts';
import { createLaunchPlan, createWorkflow, keyOf } from './seed.ts';

export const listOf = (collectionType: object) => ({ collectionType });
export const promise = (nodeId: string, name: string) => ({ promise: { nodeId, var: name } });
export const bind = (inputs: Record<string, object>) =>
  Object.entries(inputs).map(([name, binding]) => ({ var: name, binding }));
const variables = (types: Record<string, object>) =>
  Object.entries(types).map(([name, type]) => ({ name, type }));

/** A node that runs the task `double` of a project. */
export const doubleIn =
  (project: string) =>
  (id: string, x: object, rest: object = {}) => ({
    id,
    inputs: bind({ x }),
    taskNode: { referenceId: keyOf(project, 'double') },
    ...rest,
  });

/** A workflow as a test writes it down. */
export interface Flow {
  readonly inputs?: Record<string, object>;
  readonly outputs?: Record<string, object>;
  /** What the outputs are bound to. */
  readonly bound?: Record<string, object>;
  readonly nodes: readonly object[];
  readonly failureNode?: object;
  readonly onFailure?: string;
}

const template = ({ inputs = {}, outputs = {}, bound = {}, ...rest }: Flow) => ({
  interface: { inputs: variables(inputs), outputs: variables(outputs) },
  outputs: bind(bound),
  ...rest,
});

/** Registers a workflow with a launch plan of the same name. */
export async function registerFlow(
  app: App,
  project: string,
  name: string,
  flow: Flow,
  subWorkflows: Record<string, Flow> = {},
): Promise<void> {
  const key = keyOf(project, name);
  const subs = Object.entries(subWorkflows).map(([sub, one]) => ({
    key: keyOf(project, sub),
    template: template(one),
  }));
  const workflow = await createWorkflow(app, { key, template: template(flow), subWorkflows: subs });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  const plan = await createLaunchPlan(app, { key, workflow: { key } });
  expect(plan, JSON.stringify(plan)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import {
  eventually,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const project = 'nested';
let app: LocalApp;
let id: string;
const document = `query ($id: ID!) {
  execution(by: { id: $id }) {
    id project { id } launchPlan { id project { id } workflow { id } } workflow { id project { id } }
    principal { username }
    nodeExecutions { edges { node { taskExecutions { edges { node { task { id project { id } } job { id } } } } } } }
  }
}`;

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  id = await launch(app, project, 'one');
  await eventually(
    () => read(app.admin),
    (execution) => Boolean(execution.attempt?.job),
  );
  // Its statements would be counted with those of a request.
  await app.stopScheduler();
});
afterAll(() => app.stop());

async function read(authorization: string): Promise<Answer> {
  const { data, errors } = await app.ask(document, { id }, authorization);
  expect(errors).toBeUndefined();
  const { nodeExecutions, ...execution } = data.execution;
  const attempt = nodeExecutions.edges[0]?.node.taskExecutions.edges[0]?.node;
  return { ...execution, attempt };
}

const reader = (...scopes: string[]) =>
  newCaller({ role: 'USER', level: 'READ', ...(scopes.length > 0 ? { scopes } : {}) });
const found = { id: expect.any(String) };

describe('a credential with the scope execution:read', () => {
  it('sees its execution, and null for every object that needs another scope', async () => {
    expect(await read(await reader('execution:read'))).toEqual({
      id,
      project: null,
      launchPlan: null,
      workflow: null,
      principal: { username: 'admin' },
      attempt: { task: null, job: null },
    });
  });

  it.each([
    ['project:read', { project: found }],
    ['workflow:read', { workflow: { ...found, project: null } }],
    ['launchPlan:read', { launchPlan: { ...found, project: null, workflow: null } }],
    ['task:read', { attempt: { task: { ...found, project: null }, job: null } }],
    ['job:read', { attempt: { task: null, job: found } }],
  ])('sees more with the scope %s', async (scope, more) => {
    const nothing = { project: null, launchPlan: null, workflow: null, attempt: { task: null, job: null } };
    expect(await read(await reader('execution:read', scope))).toMatchObject({ ...nothing, ...more });
  });

  it('sees the objects that further scopes make reachable from each other', async () => {
    const { data } = await app.ask(
      'query ($by: LaunchPlanByInput!) { launchPlan(by: $by) { workflow { project { identifier } } } }',
      { by: { key: keyOf(project, 'one') } },
      await reader('launchPlan:read', 'workflow:read', 'project:read'),
    );
    expect(data.launchPlan).toEqual({ workflow: { project: { identifier: project } } });
  });

  it('takes no statement for objects that its scopes hide', async () => {
    const narrow = await reader('execution:read');
    await read(narrow);
    const { statements } = await countStatements(() => read(narrow));
    expect(
      statements.filter((text) => /from "public"\."(projects|tasks|workflows)"|from jobs/i.test(text)),
    ).toEqual([]);
  });

  it('sees everything when it has no scopes', async () => {
    expect(await read(await reader())).toMatchObject({
      project: found,
      workflow: { project: found },
      launchPlan: { project: found, workflow: found },
      attempt: { task: { project: found }, job: found },
    });
  });
});

/** What refusals say: which object was not found, and what it would take to be allowed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { type App, startApp } from '../support/app.ts';
import {
  domain,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
} from '../support/seed.ts';
import { type NewGrant, newCaller, newUser, tokenOf, type UserOptions } from '../support/users.ts';

const project = 'told';
let app: App;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'chain', { a: [] });
});
afterAll(() => app.stop());

/** The code and the message of a refusal by the rules. */
async function refusalOf(document: string, variables: object = {}, authorization?: string) {
  const { errors } = await app.ask(document, variables, authorization);
  return [errors?.[0]?.extensions.code, errors?.[0]?.message];
}

describe('NOT_FOUND', () => {
  const absent = 'f47ac10b-58cc-4372-a567-0e02b2c3d479';
  const lookup = (field: string, by: object, body = 'id') =>
    [
      `query ($by: ${field.charAt(0).toUpperCase()}${field.slice(1)}ByInput!) { ${field}(by: $by) { ${body} } }`,
      { by },
    ] as const;
  const model = { key: { project, name: 'ghost' } };

  it.each([
    [lookup('project', { identifier: 'ghost' }), 'project ghost not found'],
    [
      lookup('launchPlan', { key: keyOf(project, 'chain', 'v9') }),
      'launch plan told/development/chain version v9 not found',
    ],
    [lookup('task', { key: keyOf(project, 'a/b') }), 'task told/development/a/b version v1 not found'],
    [lookup('workflow', { id: absent }), `workflow ${absent} not found`],
    [
      lookup('execution', { key: { project, domain, name: 'ghost' } }),
      'execution told/development/ghost not found',
    ],
    [
      lookup('nodeExecution', { key: { project, domain, execution: 'ghost', nodeId: 'a' } }),
      'node execution told/development/ghost/a not found',
    ],
    [lookup('queue', { name: 'ghost' }), 'queue ghost not found'],
    [lookup('experiment', { key: { project, name: 'ghost' } }), 'experiment told/ghost not found'],
    [lookup('registeredModel', model), 'registered model told/ghost not found'],
    [lookup('modelVersion', { key: { model, version: 3 } }), 'model version told/ghost version 3 not found'],
    [
      lookup('modelVersion', { alias: { model, alias: 'champion' } }),
      'model version told/ghost@champion not found',
    ],
  ])('names the object with its whole key: %j', async ([document, variables], message) => {
    expect(await refusalOf(document, variables)).toEqual(['NOT_FOUND', message]);
  });

  it('names the execution of a list of nodes', async () => {
    expect(
      await refusalOf('query ($by: ExecutionByInput!) { nodeExecutions(by: $by) { edges { cursor } } }', {
        by: { key: { project, domain, name: 'ghost' } },
      }),
    ).toEqual(['NOT_FOUND', 'execution told/development/ghost not found']);
  });
});

describe('PERMISSION_DENIED', () => {
  const register = `mutation { registerProject(input: { identifier: "new", name: "New" }) { __typename } }`;
  const newTask = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { __typename } }';
  const reader: NewGrant[] = [
    {
      type: 'PROJECT',
      get id() {
        return projectId;
      },
      level: 'READ',
    },
  ];
  const caller = (role: Role, more: Partial<UserOptions> = {}) => newCaller({ role, ...more });

  it('says which level on which object is required', async () => {
    const authorization = await caller('USER', { grants: reader });
    expect(await refusalOf(newTask, { input: taskInput(project, 'new') }, authorization)).toEqual([
      'PERMISSION_DENIED',
      'requires EDIT on project told',
    ]);
    const update = `mutation ($input: UpdateLaunchPlanInput!) { updateLaunchPlan(input: $input) { __typename } }`;
    const input = { by: { key: keyOf(project, 'chain') }, state: 'ACTIVE' };
    expect(await refusalOf(update, { input }, authorization)).toEqual([
      'PERMISSION_DENIED',
      'requires EDIT on launch plan told/development/chain version v1',
    ]);
  });

  it('says so only to callers who can see the object', async () => {
    const stranger = await caller('USER');
    expect(await refusalOf(newTask, { input: taskInput(project, 'new') }, stranger)).toEqual([
      'NOT_FOUND',
      'project told not found',
    ]);
  });

  it('says which role is required', async () => {
    expect(await refusalOf(register, {}, await caller('USER'))).toEqual([
      'PERMISSION_DENIED',
      'requires the role SUPERUSER or a higher one',
    ]);
    const experiment = `mutation { createExperiment(input: { project: "told", name: "new" }) { __typename } }`;
    expect(await refusalOf(experiment, {}, await caller('GUEST', { grants: reader }))).toEqual([
      'PERMISSION_DENIED',
      'requires the role USER or a higher one',
    ]);
  });

  it('says which scope is missing', async () => {
    const scoped = await caller('SUPERUSER', { scopes: ['execution:read'] });
    expect(await refusalOf(register, {}, scoped)).toEqual([
      'PERMISSION_DENIED',
      'the scopes of this sign-in do not cover project:register',
    ]);
    const renew = `mutation { renewLeases(input: { runs: [] }) { __typename } }`;
    expect(await refusalOf(renew, {}, app.admin)).toEqual([
      'PERMISSION_DENIED',
      'requires a SYSTEM account whose credential has the scope executor',
    ]);
  });

  it('says which role the command itself requires', async () => {
    const root = await newUser({ role: 'ROOT' });
    const token = `mutation ($input: CreateTokenForUserInput!) { createTokenForUser(input: $input) { __typename } }`;
    const edit = `mutation ($input: EditUserInput!) { editUser(input: $input) { __typename } }`;
    const create = `mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename } }`;
    const by = { id: root.id };
    const admin = await caller('ADMIN');
    for (const [document, input, authorization, message] of [
      [
        token,
        { user: by },
        await caller('USER'),
        'tokens for other users require the role ADMIN or a higher one',
      ],
      [token, { user: by }, admin, 'this user has a higher role than you'],
      [edit, { by, name: 'x' }, admin, 'this user has a higher role than you'],
      [create, { username: 'new', role: 'ROOT' }, admin, 'the role ROOT is higher than yours'],
    ] as const)
      expect(await refusalOf(document, { input }, authorization)).toEqual(['PERMISSION_DENIED', message]);
  });

  it('says that the token is confined to resources', async () => {
    const confined = await tokenOf(app, app.admin, { resources: [{ type: 'PROJECT', id: projectId }] });
    expect(await refusalOf(register, {}, confined)).toEqual([
      'PERMISSION_DENIED',
      'a token that is limited to some resources cannot be used for this',
    ]);
  });
});

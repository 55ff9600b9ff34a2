import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionOn, isAllowed, noteReadable } from '../../src/authorization/can.ts';
import type { Permission } from '../../src/authorization/domain/permissions.ts';
import type { Target } from '../../src/authorization/domain/resources.ts';
import { forgetGrants } from '../../src/authorization/subject-grants.ts';
import type { Prisma } from '../../src/generated/prisma/client.ts';
import type { Level, ResourceType, Role } from '../../src/generated/prisma/enums.ts';
import { type Caller, systemCaller } from '../../src/platform/caller.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
import {
  createExecution,
  domain,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { changeUser, newCaller, newTenant, newUser, tokenOf, type UserOptions } from '../support/users.ts';

const project = 'closed';
let app: App;
let execution: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one', { name: 'there' });
});
afterAll(() => app.stop());

const user = (role: Role, level: Level | null, options: UserOptions = {}) =>
  newCaller({ role, level, ...options });

const codeOf = async (document: string, variables: object, authorization: string) => {
  const { errors, data } = await app.ask(document, variables, authorization);
  if (errors) return errors[0]?.extensions.code;
  const [answer] = Object.values(data as object);
  return (answer as { code?: string } | null)?.code ?? 'OK';
};

const reads: [string, string, () => object][] = [
  [
    'execution',
    'query ($by: ExecutionByInput!) { execution(by: $by) { id } }',
    () => ({ by: { id: execution } }),
  ],
  [
    'execution by key',
    'query ($by: ExecutionByInput!) { execution(by: $by) { id } }',
    () => ({ by: { key: { project, domain, name: 'there' } } }),
  ],
  [
    'project',
    'query ($by: ProjectByInput!) { project(by: $by) { id } }',
    () => ({ by: { identifier: project } }),
  ],
  [
    'task',
    'query ($by: TaskByInput!) { task(by: $by) { id } }',
    () => ({ by: { key: keyOf(project, 'double') } }),
  ],
  [
    'workflow',
    'query ($by: WorkflowByInput!) { workflow(by: $by) { id } }',
    () => ({ by: { key: keyOf(project, 'one') } }),
  ],
  [
    'launchPlan',
    'query ($by: LaunchPlanByInput!) { launchPlan(by: $by) { id } }',
    () => ({ by: { key: keyOf(project, 'one') } }),
  ],
  [
    'executions',
    `query { executions(filter: { project: "${project}", domain: "${domain}" }) { edges { cursor } } }`,
    () => ({}),
  ],
  [
    'nodeExecutions',
    'query ($by: ExecutionByInput!) { nodeExecutions(by: $by) { edges { cursor } } }',
    () => ({ by: { id: execution } }),
  ],
];

describe('reading', () => {
  it.each(reads)('%s requires READ and is NOT_FOUND for all others', async (_name, document, variables) => {
    const tenantId = await newTenant(`tenant-${newId()}`);
    expect(await codeOf(document, variables(), await user('USER', 'READ'))).toBe('OK');
    expect(await codeOf(document, variables(), await user('GUEST', 'MANAGE'))).toBe('OK');
    for (const authorization of [
      await user('USER', null),
      await user('USER', 'NO_PERMISSIONS'),
      await user('ADMIN', 'MANAGE', { tenantId }),
      await user('SYSTEM', 'MANAGE', { tenantId }),
    ])
      expect(await codeOf(document, variables(), authorization)).toBe('NOT_FOUND');
  });

  it('answers a hidden and an absent object with the same words', async () => {
    const authorization = await user('USER', null);
    const ask = (name: string) =>
      app.ask(
        'query ($by: ExecutionByInput!) { execution(by: $by) { id } }',
        { by: { key: { project, domain, name } } },
        authorization,
      );
    const [hidden, absent] = [await ask('there'), await ask('ghost')];
    const plain = (answer: typeof hidden) => JSON.stringify(answer).replaceAll(/there|ghost/g, 'x');
    expect(plain(hidden)).toBe(plain(absent));
  });

  it('leaves hidden objects out of lists', async () => {
    const list = 'query { projects { edges { node { identifier } } } queues { edges { node { name } } } }';
    const hidden = await app.ask(list, {}, await user('USER', null));
    expect(hidden.data).toEqual({ projects: { edges: [] }, queues: { edges: [] } });
    const shown = await app.ask(list, {}, await user('USER', 'READ'));
    expect(shown.data.projects.edges).toEqual([{ node: { identifier: project } }]);
  });
});

describe('changing', () => {
  it.each<[Role, Level, string]>([
    ['USER', 'READ', 'PERMISSION_DENIED'],
    ['USER', 'USE', 'OK'],
    ['GUEST', 'MANAGE', 'PERMISSION_DENIED'],
    ['ANNOTATOR', 'MANAGE', 'OK'],
    ['USER', 'NO_PERMISSIONS', 'NOT_FOUND'],
  ])('createExecution by %s with %s is %s', async (role, level, expected) => {
    const authorization = await user(role, level);
    const answer = await createExecution(
      app,
      { project, domain, launchPlan: { key: keyOf(project, 'one') } },
      authorization,
    );
    expect(endOf(answer)).toBe(expected);
  });

  it.each<[Role, string]>([
    ['USER', 'PERMISSION_DENIED'],
    ['SUPERUSER', 'OK'],
  ])('registerProject by %s is %s', async (role, expected) => {
    const input = { identifier: `by-${role.toLowerCase()}`, name: 'x' };
    const document =
      'mutation ($input: RegisterProjectInput!) { registerProject(input: $input) { __typename } }';
    expect(await codeOf(document, { input }, await user(role, 'MANAGE'))).toBe(expected);
  });
});

describe('the level on an object', () => {
  const target: Target = { tenantId: 'home', resources: [{ type: 'PROJECT', id: newId() }] };
  const callerOf = (role: Role): Caller => ({ ...systemCaller('home', newId()), role });
  it.each<[name: string, role: Role, about: Partial<Target>, level: Level]>([
    ['of an administrator', 'ADMIN', {}, 'MANAGE'],
    ['that is public', 'USER', { isPublic: true }, 'READ'],
    ['of another tenant', 'USER', { tenantId: 'away' }, 'NO_PERMISSIONS'],
  ])('%s takes no statement', async (_name, role, about, level) => {
    const { result, statements } = await countStatements(() =>
      decisionOn(callerOf(role), { ...target, ...about }),
    );
    expect([result.level, statements]).toEqual([level, []]);
  });
});

describe('an object that a list has shown', () => {
  const asked = async (caller: Caller, permission: Permission, target: Target) => {
    const { result, statements } = await countStatements(() =>
      isAllowed(caller, permission, { target: async () => target }),
    );
    return [result, statements.length];
  };
  /** A user without any grant, which could therefore not read the project. */
  const newOne = async () => {
    const own = await newUser({ role: 'USER' });
    const caller = { ...systemCaller(own.tenantId, own.id), role: 'USER' as const };
    const target: Target = { tenantId: own.tenantId, resources: [{ type: 'PROJECT', id: newId() }] };
    return { caller, target };
  };

  it('may be read without a look at the grants, and for all else they are read', async () => {
    const { caller, target } = await newOne();
    noteReadable(caller, [target], (one) => one);
    expect(await asked(caller, 'execution:read', target)).toEqual([true, 0]);
    expect(await asked(caller, 'project:update', target)).toEqual([false, 1]);
  });

  it.each<[string, (target: Target) => Target]>([
    ['another object', ({ tenantId }) => ({ tenantId, resources: [{ type: 'PROJECT', id: newId() }] })],
    [
      'an object of another type with its id',
      ({ tenantId, resources }) => ({
        tenantId,
        resources: resources.map(({ id }) => ({ type: 'QUEUE', id })),
      }),
    ],
    [
      'an object inside of it',
      ({ tenantId, resources }) => ({
        tenantId,
        resources: [{ type: 'WORKFLOW', id: newId() }, ...resources],
      }),
    ],
  ])('says nothing about %s', async (_what, otherOf) => {
    const { caller, target } = await newOne();
    noteReadable(caller, [target], (one) => one);
    expect(await asked(caller, 'execution:read', otherOf(target))).toEqual([false, 1]);
  });

  it('says nothing if it is public, for another caller, or after the own grants were changed', async () => {
    const { caller, target } = await newOne();
    noteReadable(caller, [{ ...target, isPublic: true }], (one) => one);
    expect(await asked(caller, 'execution:read', target)).toEqual([false, 1]);
    noteReadable(caller, [target], (one) => one);
    expect(await asked({ ...caller }, 'execution:read', target)).toEqual([false, 1]);
    forgetGrants(caller);
    expect(await asked(caller, 'execution:read', target)).toEqual([false, 1]);
  });
});

describe('the grants on one id', () => {
  it('count for their own type of resource', async () => {
    const id = newId();
    const own = await newUser({
      grants: [
        { type: 'QUEUE', id, level: 'READ' },
        { type: 'EXPERIMENT', id, level: 'USE' },
        { type: 'WORKFLOW', id, level: 'EDIT' },
      ],
    });
    const levelOn = async (type: ResourceType) => {
      const caller = { ...systemCaller(own.tenantId, own.id), role: 'USER' as const };
      return (await decisionOn(caller, { tenantId: own.tenantId, resources: [{ type, id }] })).level;
    };
    expect(await levelOn('QUEUE')).toBe('READ');
    expect(await levelOn('EXPERIMENT')).toBe('USE');
    expect(await levelOn('WORKFLOW')).toBe('EDIT');
    expect(await levelOn('PROJECT')).toBe('NO_PERMISSIONS');
  });
});

describe('a credential with scopes', () => {
  it('allows only what the scopes name, and `viewer`', async () => {
    const authorization = await user('USER', 'MANAGE', { scopes: ['execution:read'] });
    const [, document, variables] = reads[0] ?? ['', '', () => ({})];
    expect(await codeOf(document, variables(), authorization)).toBe('OK');
    expect(await codeOf(reads[2]?.[1] ?? '', { by: { identifier: project } }, authorization)).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf('{ viewer { id } }', {}, authorization)).toBe('OK');
  });

  it('does not make an executor of a user who is none', async () => {
    const lease =
      'mutation { leaseJobs(input: { executor: "x", knownRuns: [], maxJobs: 0 }) { __typename } }';
    expect(await codeOf(lease, {}, await user('USER', 'MANAGE', { scopes: ['executor'] }))).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf(lease, {}, await user('SYSTEM', null))).toBe('PERMISSION_DENIED');
    expect(await codeOf(lease, {}, app.executor)).toBe('OK');
  });
});

describe('a token', () => {
  it('ends when its user is disabled or changed, or its credential is revoked', async () => {
    const viewer = '{ viewer { id } }';
    const ends: Prisma.UserUpdateInput[] = [
      { disabledAt: new Date() },
      { version: { increment: 1 } },
      { credentials: { updateMany: { where: {}, data: { revokedAt: new Date() } } } },
    ];
    for (const end of ends) {
      const { username, authorization } = await newUser();
      const token = await tokenOf(app, authorization);
      expect(await codeOf(viewer, {}, token)).toBe('OK');
      await changeUser(username, end);
      expect(await codeOf(viewer, {}, token)).toBe('UNAUTHENTICATED');
    }
  });
});

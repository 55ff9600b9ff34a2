/** Every refusal is in the audit log: who was refused what, and about which object. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { deleteUser, editUser, updateUserAdmin, updateUserPassword } from '../support/people.ts';
import { documentFor, rootFields } from '../support/root-fields.ts';
import { expectRowForEach } from '../support/rows.ts';
import { domain, keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import {
  grantTo,
  homeTenant,
  newGroup,
  newTenant,
  newUser,
  tokenOf,
  type User,
  type UserOptions,
} from '../support/users.ts';
import { overSse } from '../support/watch.ts';
import { experiment } from './stage.ts';

vi.hoisted(() => {
  process.env['ANONYMOUS_USER'] = 'stranger';
});

let app: App;
let projectId: string;
let admin: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await newUser({ username: 'stranger', role: 'GUEST' });
  projectId = await registerProject(app, 'hidden');
  await registerTask(app, 'hidden', 'double');
  await registerWorkflow(app, 'hidden', 'chain', { a: [] });
  admin = await newUser({ role: 'ADMIN' });
});
afterAll(() => app.stop());

/** The refusals of an actor in the audit log, oldest first. */
async function refusalsOf(actorId: string): Promise<Answer[]> {
  await flushDenials();
  const rows = await db.auditEvent.findMany({
    where: { actorId, outcome: 'DENIED' },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ action, code, targetType, targetId, targetName }) => ({
    ...{ action, code, type: targetType, id: targetId, name: targetName },
  }));
}

/** The permission of each mutation, and the kind of its object; null for a mutation of many objects. */
const mutations: Readonly<Record<string, readonly [string, string | null]>> = {
  registerProject: ['project:register', 'project'],
  updateProject: ['project:update', 'project'],
  updateProjectAttributes: ['attributes:update', 'project'],
  updateProjectDomainAttributes: ['attributes:update', 'project'],
  updateWorkflowAttributes: ['attributes:update', 'project'],
  deleteProjectAttributes: ['attributes:update', 'project'],
  deleteProjectDomainAttributes: ['attributes:update', 'project'],
  deleteWorkflowAttributes: ['attributes:update', 'project'],
  createTask: ['task:create', 'project'],
  createWorkflow: ['workflow:create', 'project'],
  createLaunchPlan: ['launchPlan:create', 'project'],
  deleteTask: ['task:delete', 'task'],
  deleteWorkflow: ['workflow:delete', 'workflow'],
  deleteLaunchPlan: ['launchPlan:delete', 'launch plan'],
  updateLaunchPlan: ['launchPlan:update', 'launch plan'],
  pauseLaunchPlanSchedule: ['launchPlan:update', 'launch plan'],
  resumeLaunchPlanSchedule: ['launchPlan:update', 'launch plan'],
  promoteLaunchPlan: ['launchPlan:create', 'launch plan'],
  redeliverNotification: ['notification:redeliver', 'notification'],
  updateNamedEntity: ['namedEntity:update', 'named entity'],
  createExecution: ['execution:create', 'project'],
  recoverExecution: ['execution:create', 'execution'],
  relaunchExecution: ['execution:create', 'execution'],
  updateExecution: ['execution:update', 'execution'],
  terminateExecution: ['execution:terminate', 'execution'],
  terminateExecutions: ['execution:terminate', null],
  terminateNodeExecution: ['execution:terminate', 'node execution'],
  evictCacheEntries: ['cacheEntry:evict', 'project'],
  createSignal: ['execution:signal', 'execution'],
  setSignal: ['execution:signal', 'execution'],
  createWorkflowEvent: ['execution:report', 'execution'],
  createNodeEvent: ['execution:report', 'execution'],
  createTaskEvent: ['execution:report', 'execution'],
  createBlobUpload: ['blob:create', 'project'],
  createQueue: ['queue:create', 'queue'],
  submitJobs: ['job:submit', 'queue'],
  resubmitJob: ['job:submit', 'job'],
  cancelJobs: ['job:cancel', null],
  cancelJobSet: ['job:cancel', 'queue'],
  cancelOnQueue: ['job:cancel', 'queue'],
  reprioritizeJobs: ['job:reprioritize', null],
  preemptJobs: ['job:preempt', null],
  preemptOnQueue: ['job:preempt', 'queue'],
  leaseJobs: ['job:run', 'executor'],
  renewLeases: ['job:run', 'job run'],
  returnLease: ['job:run', 'job run'],
  reportJobEvents: ['job:run', 'job run'],
  reportRunLog: ['job:run', 'job run'],
  createExperiment: ['experiment:create', 'project'],
  updateExperiment: ['experiment:update', 'experiment'],
  deleteExperiment: ['experiment:delete', 'experiment'],
  restoreExperiment: ['experiment:delete', 'experiment'],
  updateExperimentTags: ['experiment:update', 'experiment'],
  deleteExperimentTags: ['experiment:update', 'experiment'],
  publishExperiment: ['experiment:publish', 'experiment'],
  unpublishExperiment: ['experiment:publish', 'experiment'],
  createRun: ['run:create', 'experiment'],
  updateRun: ['run:update', 'run'],
  deleteRun: ['run:delete', 'run'],
  restoreRun: ['run:delete', 'run'],
  updateRunTags: ['run:update', 'run'],
  deleteRunTags: ['run:update', 'run'],
  createRegisteredModel: ['model:create', 'project'],
  updateRegisteredModel: ['model:update', 'registered model'],
  deleteRegisteredModel: ['model:delete', 'registered model'],
  restoreRegisteredModel: ['model:delete', 'registered model'],
  updateRegisteredModelTags: ['model:update', 'registered model'],
  deleteRegisteredModelTags: ['model:update', 'registered model'],
  publishRegisteredModel: ['model:publish', 'registered model'],
  unpublishRegisteredModel: ['model:publish', 'registered model'],
  createModelVersion: ['model:update', 'registered model'],
  updateModelVersion: ['model:update', 'model version'],
  updateModelVersionTags: ['model:update', 'model version'],
  deleteModelVersionTags: ['model:delete', 'model version'],
  deleteModelVersion: ['model:delete', 'model version'],
  updateModelAlias: ['model:update', 'registered model'],
  deleteModelAlias: ['model:delete', 'registered model'],
  grantPermission: ['permission:grant', 'project'],
  updatePermission: ['permission:grant', 'project'],
  revokePermission: ['permission:grant', 'project'],
  createExperimentPermission: ['permission:grant', 'experiment'],
  updateExperimentPermission: ['permission:grant', 'experiment'],
  deleteExperimentPermission: ['permission:grant', 'experiment'],
  createRegisteredModelPermission: ['permission:grant', 'registered model'],
  updateRegisteredModelPermission: ['permission:grant', 'registered model'],
  deleteRegisteredModelPermission: ['permission:grant', 'registered model'],
  createUser: ['user:create', 'user'],
  editUser: ['user:administer', 'user'],
  updateUserAdmin: ['user:administer', 'user'],
  updateUserPassword: ['user:changePassword', 'user'],
  deleteUser: ['user:administer', 'user'],
  updatePreferences: ['user:update', 'user'],
  createGroup: ['group:create', 'group'],
  updateGroup: ['group:administer', 'group'],
  addGroupMembers: ['group:administer', 'group'],
  removeGroupMembers: ['group:administer', 'group'],
  deleteGroup: ['group:administer', 'group'],
  createTenant: ['tenant:create', 'tenant'],
  updateTenant: ['tenant:administer', 'tenant'],
  createCredentials: ['credential:create', 'user'],
  editCredentials: ['credential:update', 'access key'],
  revokeCredentials: ['credential:revoke', 'access key'],
  createTokenForUser: ['token:createForOthers', 'user'],
  login: ['token:create', 'user'],
  logout: ['session:end', 'user'],
};
const grant = { subject: { user: { username: 'x' } }, resource: { project: { identifier: 'hidden' } } };
/** Inputs that name an object, for mutations whose smallest input names none. */
const inputs: Readonly<Record<string, object>> = {
  createUser: { username: 'x' },
  grantPermission: { ...grant, level: 'READ' },
  updatePermission: { ...grant, level: 'READ' },
  revokePermission: grant,
};
/** Open to every access key, whatever its scopes are. The anonymous user is refused. */
const openToKeys: ReadonlySet<string> = new Set(['login', 'logout']);

describe('a refused mutation', () => {
  const fields = rootFields.filter(({ operation }) => operation === 'mutation');

  it('has a row in the table', () => {
    const names = fields.map(({ name }) => name);
    expectRowForEach(names, Object.keys(mutations), '`mutations` in test/access/refusals.test.ts');
  });

  it.each(fields)('is in the audit log with its target: $name', async (root) => {
    const [action, type] = mutations[root.name] ?? [];
    const isAnonymous = openToKeys.has(root.name);
    const key = await newUser({ role: 'ADMIN', scopes: ['audit:read'] });
    const anonymous = await db.user.findFirstOrThrow({ where: { usernameKey: 'stranger' } });
    const actorId = isAnonymous ? anonymous.id : key.id;
    const { document, variables } = documentFor(root);
    const given = inputs[root.name];
    const { errors } = await app.ask(
      document,
      given ? { input: given } : variables,
      isAnonymous ? null : key.authorization,
    );
    expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    const told = (await refusalsOf(actorId)).filter((row) => row.action === action);
    expect(told).toMatchObject([{ action, code: 'PERMISSION_DENIED', type }]);
    if (type !== null) expect(told[0].name).toBeTruthy();
  });
});

/** A way to be refused: who calls, what the answer is, and what the log says. */
interface Way {
  readonly by: () => Promise<User>;
  readonly ask: (actor: User) => Promise<Answer>;
  readonly code: string;
  readonly action: string;
  readonly target: (actor: User) => object | Promise<object>;
}

const as = (role: Role, options?: UserOptions) => () => newUser({ role, ...options });
const ofUser = ({ id }: { readonly id: string }) => ({ type: 'user', id });
let root: User;
let other: User;
beforeAll(async () => {
  root = await newUser({ role: 'ROOT' });
  other = await newUser();
});

/** A user with a password, signed in with a token. */
async function withPassword(): Promise<User> {
  const password = 'a long password';
  const made = await newUser({ password });
  return { ...made, authorization: await tokenOf(app, basic(made.username, password)) };
}

async function keyOfUser(userId: string) {
  return await db.credential.findFirstOrThrow({ where: { userId } });
}

const asks = (field: string, input: object | ((actor: User) => object | Promise<object>)) => {
  return async (actor: User) =>
    endOf(
      await mutate(
        app,
        field,
        typeof input === 'function' ? await input(actor) : input,
        '',
        actor.authorization,
      ),
    );
};
const asksQuery = (query: string, variables: () => object | Promise<object>) => async (actor: User) => {
  const { errors } = await app.ask(query, await variables(), actor.authorization);
  return errors?.[0]?.extensions.code;
};

const documentTask = {
  key: keyOf('hidden', 'new'),
  template: { type: 'x', interface: {}, metadata: {} },
};

const ways: Readonly<Record<string, Way>> = {
  'a project that is hidden': {
    by: as('USER'),
    ask: asksQuery('{ project(by: { identifier: "hidden" }) { id } }', () => ({})),
    code: 'NOT_FOUND',
    action: 'project:read',
    target: () => ({ type: 'project', id: projectId, name: 'hidden' }),
  },
  'a level that is too low': {
    by: as('USER', { level: 'READ' }),
    ask: asks('createTask', () => documentTask),
    code: 'PERMISSION_DENIED',
    action: 'task:create',
    target: () => ({ type: 'project', id: projectId, name: 'hidden' }),
  },
  'a launch plan that an input names, and that is hidden': {
    by: async () => {
      const actor = await newUser({ level: 'USE' });
      const { id } = await db.namedEntity.findFirstOrThrow({ where: { name: 'chain', type: 'WORKFLOW' } });
      await grantTo({ userId: actor.id }, 'WORKFLOW', id, 'NO_PERMISSIONS');
      return actor;
    },
    ask: asks('createExecution', {
      project: 'hidden',
      domain,
      launchPlan: { key: keyOf('hidden', 'chain') },
      inputs: { x: '1' },
    }),
    code: 'NOT_FOUND',
    action: 'launchPlan:use',
    target: () => ({ type: 'launch plan', name: expect.stringContaining('chain') }),
  },
  'a public experiment that somebody changes': {
    by: as('USER', { level: 'MANAGE' }),
    ask: asks('updateExperiment', async () => {
      const { id } = await experiment(projectId, newId(), new Date());
      return { by: { id }, description: 'x' };
    }),
    code: 'PERMISSION_DENIED',
    action: 'experiment:update',
    target: () => ({ type: 'experiment', id: expect.any(String) }),
  },
  'a group that is hidden': {
    by: as('USER'),
    ask: asksQuery('query ($by: GroupByInput!) { group(by: $by) { id } }', async () => ({
      by: { id: await newGroup(newId()) },
    })),
    code: 'NOT_FOUND',
    action: 'group:list',
    target: () => ({ type: 'group', id: expect.any(String) }),
  },
  'a user, without the right to see others': {
    by: as('USER'),
    ask: asksQuery('query ($by: UserByInput!) { user(by: $by) { id } }', () => ({ by: { id: other.id } })),
    code: 'PERMISSION_DENIED',
    action: 'user:list',
    target: () => ofUser(other),
  },
  'a wrong current password': {
    by: withPassword,
    ask: async ({ authorization }) =>
      endOf(
        await updateUserPassword(
          app,
          { password: 'another password', currentPassword: 'guessed by somebody' },
          authorization,
        ),
      ),
    code: 'INVALID_ARGUMENT',
    action: 'user:changePassword',
    target: ofUser,
  },
  'the key of somebody else': {
    by: as('USER'),
    ask: asks('revokeCredentials', async () => ({
      by: { accessKey: (await keyOfUser(other.id)).accessKey },
    })),
    code: 'NOT_FOUND',
    action: 'credential:revoke',
    target: async () => ({ type: 'access key', name: (await keyOfUser(other.id)).accessKey }),
  },
  'the key of somebody above': {
    by: as('ADMIN'),
    ask: asks('editCredentials', async () => ({
      by: { accessKey: (await keyOfUser(root.id)).accessKey },
      label: 'x',
    })),
    code: 'PERMISSION_DENIED',
    action: 'credential:update',
    target: async () => ({ type: 'access key', name: (await keyOfUser(root.id)).accessKey }),
  },
  'a key for somebody else': {
    by: as('USER'),
    ask: asks('createCredentials', () => ({ user: { id: other.id } })),
    code: 'PERMISSION_DENIED',
    action: 'credential:create',
    target: () => ofUser(other),
  },
  'a key that is wider than the sign-in': {
    by: as('USER', { scopes: ['credential:create'] }),
    ask: asks('createCredentials', { scopes: ['project:read'] }),
    code: 'PERMISSION_DENIED',
    action: 'credential:create',
    target: ({ username }) => ({ type: 'user', name: username }),
  },
  'the keys of somebody else': {
    by: as('USER'),
    ask: asksQuery('query ($user: UserByInput) { credentials(user: $user) { edges { cursor } } }', () => ({
      user: { id: other.id },
    })),
    code: 'PERMISSION_DENIED',
    action: 'credential:read',
    target: () => ofUser(other),
  },
  'deleting oneself': {
    by: as('ADMIN'),
    ask: async ({ id, authorization }) => endOf(await deleteUser(app, { by: { id } }, authorization)),
    code: 'FAILED_PRECONDITION',
    action: 'user:administer',
    target: ofUser,
  },
  'disabling oneself': {
    by: as('ADMIN'),
    ask: async ({ id, authorization }) =>
      endOf(await editUser(app, { by: { id }, disabled: true }, authorization)),
    code: 'FAILED_PRECONDITION',
    action: 'user:update',
    target: ofUser,
  },
  'demoting oneself': {
    by: as('ADMIN'),
    ask: async ({ id, authorization }) =>
      endOf(await updateUserAdmin(app, { by: { id }, isAdmin: false }, authorization)),
    code: 'FAILED_PRECONDITION',
    action: 'user:administer',
    target: ofUser,
  },
  'promoting oneself': {
    by: as('ADMIN'),
    ask: async ({ id, authorization }) =>
      endOf(await editUser(app, { by: { id }, role: 'ROOT' }, authorization)),
    code: 'PERMISSION_DENIED',
    action: 'user:administer',
    target: ofUser,
  },
  'changing somebody above': {
    by: as('ADMIN'),
    ask: async ({ authorization }) =>
      endOf(await editUser(app, { by: { id: root.id }, name: 'x' }, authorization)),
    code: 'PERMISSION_DENIED',
    action: 'user:administer',
    target: () => ofUser(root),
  },
  'deleting somebody above': {
    by: as('ADMIN'),
    ask: async ({ authorization }) =>
      endOf(await deleteUser(app, { by: { username: root.username } }, authorization)),
    code: 'PERMISSION_DENIED',
    action: 'user:administer',
    target: () => ({ ...ofUser(root), name: root.username }),
  },
  'the password of somebody above': {
    by: as('ADMIN'),
    ask: async ({ authorization }) =>
      endOf(
        await updateUserPassword(app, { by: { id: root.id }, password: 'another password' }, authorization),
      ),
    code: 'PERMISSION_DENIED',
    action: 'user:administer',
    target: () => ofUser(root),
  },
  'making somebody above': {
    by: as('ADMIN'),
    ask: asks('createUser', { username: 'superhuman', role: 'ROOT' }),
    code: 'PERMISSION_DENIED',
    action: 'user:create',
    target: () => ({ type: 'user', name: 'superhuman' }),
  },
  'the settings of another tenant': {
    by: as('ADMIN'),
    ask: asks('updateTenant', { by: { name: 'elsewhere' }, defaultLevel: 'READ' }),
    code: 'PERMISSION_DENIED',
    action: 'tenant:administer',
    target: () => ({ type: 'tenant', name: 'elsewhere' }),
  },
  'another tenant': {
    by: as('USER'),
    ask: asksQuery('{ tenant(by: { name: "elsewhere" }) { id } }', () => ({})),
    code: 'PERMISSION_DENIED',
    action: 'tenant:read',
    target: () => ({ type: 'tenant', name: 'elsewhere' }),
  },
  'a new tenant, by the services of another than the first': {
    by: async () => await newUser({ role: 'SYSTEM', tenantId: await newTenant(newId()) }),
    ask: asks('createTenant', { name: 'a third tenant' }),
    code: 'PERMISSION_DENIED',
    action: 'tenant:create',
    target: () => ({ type: 'tenant', name: 'a third tenant' }),
  },
  'a token for somebody else': {
    by: as('USER'),
    ask: asks('createTokenForUser', () => ({ user: { username: other.username } })),
    code: 'PERMISSION_DENIED',
    action: 'token:createForOthers',
    target: () => ({ type: 'user', name: other.username }),
  },
  'a token that reaches further than its sign-in': {
    by: async () => {
      const actor = await newUser();
      const resources = [{ type: 'PROJECT', id: projectId }];
      return { ...actor, authorization: await tokenOf(app, actor.authorization, { resources }) };
    },
    ask: asks('login', { resources: [{ type: 'PROJECT', id: newId() }] }),
    code: 'PERMISSION_DENIED',
    action: 'token:create',
    target: ofUser,
  },
  'a grant on all projects': {
    by: as('USER'),
    ask: asks('grantPermission', () => ({
      subject: { user: { id: other.id } },
      resource: { all: 'PROJECT' },
      level: 'READ',
    })),
    code: 'PERMISSION_DENIED',
    action: 'permission:administer',
    target: () => ({ type: 'project', name: '*' }),
  },
  'events of an execution that is hidden': {
    by: as('GUEST', { scopes: ['project:read'] }),
    ask: async ({ authorization }) => {
      const document = `subscription { executionEvents(by: { id: "${newId()}" }) { id } }`;
      for await (const { errors } of overSse(app, document, {}, authorization))
        return errors[0].extensions.code;
    },
    code: 'PERMISSION_DENIED',
    action: 'execution:read',
    target: () => ({ type: 'execution' }),
  },
};

describe('a caller who is refused', () => {
  it.each(Object.entries(ways))(
    'is in the audit log once: %s',
    async (_name, { by, ask, code, action, target }) => {
      const actor = await by();
      expect(await ask(actor)).toBe(code);
      const expected = code === 'OK' ? [] : [{ code, action, ...(await target(actor)) }];
      expect(await refusalsOf(actor.id)).toMatchObject(expected);
    },
  );

  it('is not in the audit log where the object does not exist', async () => {
    const actor = await newUser();
    const { errors } = await app.ask(
      '{ project(by: { identifier: "absent" }) { id } }',
      {},
      actor.authorization,
    );
    expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await refusalsOf(actor.id)).toEqual([]);
  });

  it('is found in auditEvents by actor, action and target', async () => {
    const actor = await newUser();
    await app.ask('{ project(by: { identifier: "hidden" }) { id } }', {}, actor.authorization);
    await flushDenials();
    const filter = {
      actor: { id: actor.id },
      action: 'project:read',
      outcome: 'DENIED',
      targetType: 'PROJECT',
      targetId: projectId,
    };
    const { data } = await app.ask(
      `query ($filter: AuditEventFilterInput) { auditEvents(filter: $filter) {
         edges { node { tenantId actor { id } code target { type id name } } } } }`,
      { filter },
      admin.authorization,
    );
    expect(data.auditEvents.edges).toEqual([
      {
        node: {
          tenantId: await homeTenant(),
          actor: { id: actor.id },
          code: 'NOT_FOUND',
          target: { type: 'PROJECT', id: projectId, name: 'hidden' },
        },
      },
    ]);
  });
});

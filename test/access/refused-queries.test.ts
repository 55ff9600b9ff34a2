/** The permission that each query needs: a key whose scopes do not cover it is refused, and the audit log says why. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeTypes } from '../../src/api/node.ts';
import { flushDenials } from '../../src/authorization/audit.ts';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { documentFor, rootFields } from '../support/root-fields.ts';
import { expectRowForEach } from '../support/rows.ts';
import { newUser } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** The permission of each query. Null: every sign-in may ask it, or it decides for each object. */
const queries: Readonly<Record<string, string | null>> = {
  activeLaunchPlan: 'launchPlan:read',
  activeLaunchPlans: 'launchPlan:read',
  allPermissions: 'permission:list',
  auditEvents: 'audit:read',
  credentials: 'credential:read',
  descriptionEntities: 'descriptionEntity:read',
  cacheEntries: 'cacheEntry:read',
  descriptionEntity: 'descriptionEntity:read',
  domains: 'project:list',
  execution: 'execution:read',
  executions: 'execution:list',
  experiment: 'experiment:read',
  experimentPermission: 'permission:read',
  experiments: 'experiment:list',
  explainPermission: 'permission:read',
  fixedUsersMode: null,
  oauth2Metadata: null,
  publicClientConfig: null,
  grantees: 'permission:grant',
  group: 'group:list',
  groups: 'group:list',
  job: 'job:read',
  jobRun: 'job:read',
  explainJob: 'job:read',
  jobSetEvents: 'job:read',
  jobs: 'job:list',
  jsonWebKey: 'jsonWebKey:read',
  jsonWebKeySet: 'jsonWebKey:read',
  launchPlan: 'launchPlan:read',
  launchPlanIds: 'launchPlan:read',
  launchPlans: 'launchPlan:read',
  matchableAttributes: 'attributes:list',
  modelVersion: 'model:read',
  myPermissions: 'permission:list',
  namedEntities: 'namedEntity:read',
  namedEntity: 'namedEntity:read',
  node: null,
  nodeExecution: 'execution:read',
  nodeExecutions: 'execution:read',
  nodes: null,
  permissions: 'permission:read',
  oauth2Client: 'oauth2Client:read',
  oauth2Clients: 'oauth2Client:list',
  jwtGrantIssuer: 'oauth2Client:read',
  identityProviders: 'identityProvider:administer',
  identityLinks: 'identityProvider:administer',
  jwtGrantIssuers: 'oauth2Client:list',
  consentSessions: 'consentSession:administer',
  introspectOAuth2Token: 'oauth2Token:introspect',
  userInfo: null,
  logoutRequest: 'loginRequest:answer',
  deviceRequest: 'loginRequest:answer',
  loginRequest: 'loginRequest:answer',
  consentRequest: 'loginRequest:answer',
  project: 'project:read',
  projectAttributes: 'attributes:read',
  projectDomainAttributes: 'attributes:read',
  projects: 'project:list',
  executor: 'executor:read',
  executors: 'executor:read',
  activeQueues: 'queue:list',
  queueShares: 'queue:list',
  queue: 'queue:read',
  queueInfo: 'queue:read',
  retryPolicies: 'retryPolicy:read',
  retryPolicy: 'retryPolicy:read',
  queues: 'queue:list',
  recoveryPlan: 'execution:read',
  registeredModel: 'model:read',
  registeredModelPermission: 'permission:read',
  registeredModels: 'model:list',
  retention: 'retention:read',
  retentionReport: 'retention:report',
  run: 'run:read',
  runs: 'run:list',
  signals: 'execution:read',
  webhookSigningKeys: 'webhookKey:read',
  task: 'task:read',
  taskIds: 'task:read',
  taskExecution: 'execution:read',
  taskExecutions: 'execution:read',
  tasks: 'task:read',
  tenant: 'tenant:read',
  tenants: 'tenant:create',
  user: 'user:list',
  users: 'user:list',
  validateToken: 'token:validate',
  version: null,
  viewer: null,
  workflow: 'workflow:read',
  workflowAttributes: 'attributes:read',
  workflowIds: 'workflow:read',
  workflows: 'workflow:read',
};
const ofProject = { resource: { project: { identifier: 'x' } } };
/** Variables that name one object, for queries whose smallest ones name all. */
const variablesOf: Readonly<Record<string, object>> = {
  explainPermission: { user: { username: 'x' }, ...ofProject },
  grantees: { prefix: 'xx', first: 1, ...ofProject },
  permissions: ofProject,
};

describe('a refused query', () => {
  const fields = rootFields.filter(({ operation }) => operation === 'query');

  it('has a row in the table', () => {
    const names = fields.map(({ name }) => name);
    expectRowForEach(names, Object.keys(queries), '`queries` in test/access/refused-queries.test.ts');
  });

  it.each(fields.filter(({ name }) => queries[name]))(
    'is in the audit log with its permission: $name',
    async (root) => {
      const { id, authorization } = await newUser({ role: 'ADMIN', scopes: ['group:create'] });
      const { document, variables } = documentFor(root);
      const { errors } = await app.ask(document, variablesOf[root.name] ?? variables, authorization);
      expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
      await flushDenials();
      const rows = await db.auditEvent.findMany({ where: { actorId: id } });
      expect(rows).toMatchObject([{ action: queries[root.name], outcome: 'DENIED' }]);
    },
  );

  it.each([...nodeTypes])('has the permission with which `node` hides the same object: %s', (type, node) => {
    const lookup = type.replace(/^OAuth/, 'oauth').replace(/^[A-Z]/, (letter) => letter.toLowerCase());
    expect(node.permission).toBe(queries[lookup]);
  });

  it('about oneself names what oneself needs', async () => {
    const { id, username, authorization } = await newUser({ role: 'ADMIN', scopes: ['group:create'] });
    await app.ask('query ($by: UserByInput!) { user(by: $by) { id } }', { by: { id } }, authorization);
    await app.ask(
      `query ($user: UserByInput!, $resource: ResourceByInput!) {
         explainPermission(user: $user, resource: $resource) { level } }`,
      { user: { username }, ...ofProject },
      authorization,
    );
    await flushDenials();
    const rows = await db.auditEvent.findMany({ where: { actorId: id } });
    expect(rows.map(({ action }) => action).sort()).toEqual(['permission:explain', 'user:read']);
  });
});

/** Every refused mutation is in the audit log: who was refused what, and about which object. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { documentFor, rootFields } from '../support/root-fields.ts';
import { expectRowForEach } from '../support/rows.ts';
import { registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newUser } from '../support/users.ts';
import { refusalsOf } from './refusals-of.ts';

vi.hoisted(() => {
  process.env['ANONYMOUS_USER'] = 'stranger';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await newUser({ username: 'stranger', role: 'GUEST' });
  await registerProject(app, 'hidden');
  await registerTask(app, 'hidden', 'double');
  await registerWorkflow(app, 'hidden', 'chain', { a: [] });
});
afterAll(() => app.stop());

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
  pauseLaunchPlanTriggers: ['launchPlan:update', 'launch plan'],
  resumeLaunchPlanTriggers: ['launchPlan:update', 'launch plan'],
  promoteLaunchPlan: ['launchPlan:create', 'launch plan'],
  redeliverNotification: ['notification:redeliver', 'notification'],
  updateNamedEntity: ['namedEntity:update', 'named entity'],
  createExecution: ['execution:create', 'project'],
  recoverExecution: ['execution:create', 'execution'],
  relaunchExecution: ['execution:create', 'execution'],
  updateExecution: ['execution:update', 'execution'],
  terminateExecution: ['execution:terminate', 'execution'],
  terminateExecutions: ['execution:terminate', null],
  deleteExecutions: ['execution:delete', null],
  updateRetention: ['retention:update', 'project'],
  terminateNodeExecution: ['execution:terminate', 'node execution'],
  evictCacheEntries: ['cacheEntry:evict', 'project'],
  createSignal: ['execution:signal', 'execution'],
  setSignal: ['execution:signal', 'execution'],
  createWorkflowEvent: ['execution:report', 'execution'],
  createNodeEvent: ['execution:report', 'execution'],
  createTaskEvent: ['execution:report', 'execution'],
  createBlobUpload: ['blob:create', 'project'],
  createQueue: ['queue:create', 'queue'],
  createQueues: ['queue:create', null],
  updateQueue: ['queue:update', 'queue'],
  updateQueues: ['queue:update', null],
  upsertQueue: ['queue:create', 'queue'],
  deleteQueue: ['queue:delete', 'queue'],
  cordonQueue: ['queue:cordon', 'queue'],
  uncordonQueue: ['queue:cordon', 'queue'],
  createRetryPolicy: ['retryPolicy:create', 'retry policy'],
  updateRetryPolicy: ['retryPolicy:update', 'retry policy'],
  deleteRetryPolicy: ['retryPolicy:delete', 'retry policy'],
  upsertExecutorSettings: ['executor:administer', 'executor'],
  cordonNode: ['executor:administer', 'executor'],
  uncordonNode: ['executor:administer', 'executor'],
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
  reportUsage: ['job:run', 'executor'],
  reportJobsDone: ['job:run', 'job run'],
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
  createJsonWebKeySet: ['jsonWebKey:administer', 'json web key set'],
  updateJsonWebKeySet: ['jsonWebKey:administer', 'json web key set'],
  updateJsonWebKey: ['jsonWebKey:administer', 'json web key'],
  rotateJsonWebKeySet: ['jsonWebKey:administer', 'json web key set'],
  deleteJsonWebKey: ['jsonWebKey:administer', 'json web key'],
  deleteJsonWebKeySet: ['jsonWebKey:administer', 'json web key set'],
  exportJsonWebKey: ['jsonWebKey:export', 'json web key'],
  createOAuth2Client: ['oauth2Client:administer', 'oauth2 client'],
  updateOAuth2Client: ['oauth2Client:administer', 'oauth2 client'],
  patchOAuth2Client: ['oauth2Client:administer', 'oauth2 client'],
  setOAuth2ClientLifespans: ['oauth2Client:administer', 'oauth2 client'],
  rotateOAuth2ClientSecret: ['oauth2Client:administer', 'oauth2 client'],
  deleteRotatedOAuth2ClientSecrets: ['oauth2Client:administer', 'oauth2 client'],
  deleteOAuth2Client: ['oauth2Client:administer', 'oauth2 client'],
  createIdentityProvider: ['identityProvider:administer', 'identity provider'],
  updateIdentityProvider: ['identityProvider:administer', 'identity provider'],
  deleteIdentityProvider: ['identityProvider:administer', 'identity provider'],
  createIdentityLink: ['identityProvider:administer', 'identity provider'],
  deleteIdentityLink: ['identityProvider:administer', 'identity link'],
  trustJwtGrantIssuer: ['oauth2Client:administer', 'jwt grant issuer'],
  deleteJwtGrantIssuer: ['oauth2Client:administer', 'jwt grant issuer'],
  flushInactiveOAuth2Tokens: ['oauth2Token:administer', null],
  deleteOAuth2Tokens: ['oauth2Token:administer', 'oauth2 client'],
  acceptLogoutRequest: ['loginRequest:answer', 'challenge'],
  rejectLogoutRequest: ['loginRequest:answer', 'challenge'],
  acceptDeviceRequest: ['loginRequest:answer', 'challenge'],
  acceptLoginRequest: ['loginRequest:answer', 'challenge'],
  rejectLoginRequest: ['loginRequest:answer', 'challenge'],
  acceptConsentRequest: ['loginRequest:answer', 'challenge'],
  rejectConsentRequest: ['loginRequest:answer', 'challenge'],
  revokeConsentSessions: ['consentSession:administer', 'consent session'],
  revokeAuthenticationSession: ['consentSession:administer', 'login session'],
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

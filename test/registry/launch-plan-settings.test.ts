import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oldIdentity } from '../../src/registry/domain/launch-plan-settings.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'settings';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

const pairs = '{ key value }';
const secretFields = '{ group groupVersion key mountRequirement envVar }';
const clientFields = `{ clientId clientSecret ${secretFields} }`;
const fields = `launchPlan {
  digest flyte labels ${pairs} annotations ${pairs} envs ${pairs}
  securityContext {
    runAs { iamRole k8sServiceAccount oauth2Client ${clientFields} executionIdentity }
    secrets ${secretFields} tokens { name type client ${clientFields} idpDiscoveryEndpoint tokenEndpoint }
  }
  qualityOfService { tier queueingBudget } rawOutputDataConfig { outputLocationPrefix }
  maxParallelism interruptible overwriteCache clusterAssignment { clusterPoolName }
  concurrencyPolicy { max behavior }
  executionEnvAssignments { nodeIds taskType executionEnv { name type version extant spec } }
}`;

let count = 0;
const create = async (settings: object, name = `p${++count}`): Promise<Answer> => {
  const input = { key: keyOf(project, name), workflow: { key: keyOf(project, 'one') }, ...settings };
  const answer = await mutate(app, 'createLaunchPlan', input, fields);
  return answer.launchPlan ?? answer;
};
const createFlyte = async (flyte: object, name: string): Promise<Answer> => {
  const workflowId = { resourceType: 'WORKFLOW', ...keyOf(project, 'one') };
  const defaultInputs = { parameters: { x: { var: { type: { simple: 'INTEGER' } }, required: true } } };
  const input = { key: keyOf(project, name), flyte: { workflowId, defaultInputs, ...flyte } };
  const answer = await mutate(app, 'createLaunchPlan', input, fields);
  return answer.launchPlan ?? answer;
};

const secret = {
  group: 'g',
  groupVersion: 'v',
  key: 'k',
  mountRequirement: 'ENV_VAR' as const,
  envVar: 'TOKEN',
};
const client = { clientId: 'c', clientSecret: secret };
const everything = {
  labels: [{ key: 'team', value: 'ml' }],
  annotations: [{ key: 'note', value: 'a b' }],
  envs: [
    { key: 'B', value: '1' },
    { key: 'A', value: '' },
  ],
  securityContext: {
    runAs: { iamRole: 'r', k8sServiceAccount: 's', oauth2Client: client, executionIdentity: 'i' },
    secrets: [secret],
    tokens: [
      {
        name: 't',
        type: 'CLIENT_CREDENTIALS',
        client,
        idpDiscoveryEndpoint: 'https://d',
        tokenEndpoint: 'https://t',
      },
    ],
  },
  rawOutputDataConfig: { outputLocationPrefix: 's3://bucket' },
  maxParallelism: 7,
  interruptible: false,
  overwriteCache: true,
  clusterAssignment: { clusterPoolName: 'gpu' },
  concurrencyPolicy: { max: 3, behavior: 'SKIP' },
  executionEnvAssignments: [
    {
      nodeIds: ['a'],
      taskType: 'container',
      executionEnv: { name: 'warm', type: 'actor', version: '1', extant: null, spec: { size: 1 } },
    },
  ],
};

describe('the settings of a launch plan', () => {
  it('are given back as they were registered', async () => {
    const plan = await create({ ...everything, qualityOfService: { queueingBudget: 'PT1M' } });
    expect(plan).toMatchObject({ ...everything, qualityOfService: { tier: null, queueingBudget: 'PT1M' } });
    expect((await create({ qualityOfService: { tier: 'HIGH' } })).qualityOfService).toEqual({
      tier: 'HIGH',
      queueingBudget: null,
    });
  });

  it('are null or empty if they are not set', async () => {
    expect(await create({})).toMatchObject({
      labels: [],
      annotations: [],
      envs: [],
      securityContext: null,
      qualityOfService: null,
      rawOutputDataConfig: null,
      maxParallelism: null,
      interruptible: null,
      overwriteCache: false,
      clusterAssignment: null,
      concurrencyPolicy: null,
      executionEnvAssignments: [],
    });
  });

  it('do not change the digest if they mean the same as nothing, and change it otherwise', async () => {
    const { digest } = await create({});
    const nothing = {
      labels: [],
      envs: [],
      maxParallelism: 0,
      overwriteCache: false,
      concurrencyPolicy: { max: 0 },
      executionEnvAssignments: [],
    };
    expect((await create(nothing)).digest).toBe(digest);
    expect((await create({ interruptible: false })).digest).not.toBe(digest);
    for (const [field, value] of Object.entries(everything))
      expect((await create({ [field]: value })).digest, field).not.toBe(digest);
  });

  it("are the same in Flyte's form, and go back to it", async () => {
    const ours = await create({ ...everything, qualityOfService: { queueingBudget: 'PT1.5S' } }, 'both');
    expect(ours.flyte).toMatchObject({
      labels: { values: { team: 'ml' } },
      annotations: { values: { note: 'a b' } },
      envs: { values: [{ key: 'B', value: '1' }, { key: 'A' }] },
      securityContext: { runAs: { iamRole: 'r', oauth2Client: client }, secrets: [secret] },
      qualityOfService: { spec: { queueingBudget: '1.500s' } },
      rawOutputDataConfig: { outputLocationPrefix: 's3://bucket' },
      maxParallelism: 7,
      interruptible: false,
      overwriteCache: true,
      clusterAssignment: { clusterPoolName: 'gpu' },
      concurrencyPolicy: { max: 3, behavior: 'CONCURRENCY_LIMIT_BEHAVIOR_SKIP' },
    });
    expect(await createFlyte(ours.flyte, 'both')).toMatchObject({ code: 'ALREADY_EXISTS' });
    const other = await createFlyte(ours.flyte, 'other');
    expect(other).toEqual(ours);
  });

  const long = 'x'.repeat(256);
  const many = (length: number) => Array.from({ length }, (_, at) => ({ key: `n${at}`, value: '' }));
  it.each([
    ['too many labels', { labels: many(17) }, 'labels'],
    ['a wrong label', { labels: [{ key: '!', value: '' }] }, 'labels.!'],
    ['a label twice', { labels: [...many(1), ...many(1)] }, 'labels.n0'],
    ['too many annotations', { annotations: many(101) }, 'annotations'],
    ['a wrong variable', { envs: [{ key: '1', value: '' }] }, 'envs.1'],
    ['a negative parallelism', { maxParallelism: -1 }, 'maxParallelism'],
    [
      'an empty prefix',
      { rawOutputDataConfig: { outputLocationPrefix: '' } },
      'rawOutputDataConfig.outputLocationPrefix',
    ],
    ['an empty security context', { securityContext: {} }, 'securityContext'],
    [
      'a client without an id',
      { securityContext: { runAs: { oauth2Client: { clientId: '' } } } },
      'securityContext.runAs.oauth2Client.clientId',
    ],
    [
      'a long variable of a secret',
      { securityContext: { secrets: [{ group: 'g', envVar: long }] } },
      'securityContext.secrets.0.envVar',
    ],
    [
      'a token without a name',
      { securityContext: { tokens: [{ name: '' }] } },
      'securityContext.tokens.0.name',
    ],
    [
      'too many tokens',
      { securityContext: { tokens: many(101).map(({ key }) => ({ name: key })) } },
      'securityContext.tokens',
    ],
    [
      'a long address',
      { securityContext: { tokens: [{ name: 't', tokenEndpoint: 'x'.repeat(4097) }] } },
      'securityContext.tokens.0.tokenEndpoint',
    ],
    [
      'a negative budget',
      { qualityOfService: { queueingBudget: '-PT1S' } },
      'qualityOfService.queueingBudget',
    ],
    [
      'a pool without a name',
      { clusterAssignment: { clusterPoolName: '' } },
      'clusterAssignment.clusterPoolName',
    ],
    ['a negative limit', { concurrencyPolicy: { max: -1 } }, 'concurrencyPolicy.max'],
  ])('cannot have %s', async (_name, settings, path) => {
    expect(await create(settings)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', ...path.split('.')],
    });
  });

  it.each([
    ['labels that are not a map', { labels: { values: [] } }, 'labels'],
    ['a variable twice', { envs: { values: [{ key: 'A' }, { key: 'A' }] } }, 'envs'],
    ['a parallelism below 0', { maxParallelism: -1 }, 'maxParallelism'],
    [
      'too many labels',
      { labels: { values: Object.fromEntries(many(17).map(({ key }) => [key, ''])) } },
      'labels',
    ],
    [
      'an unknown behaviour',
      { concurrencyPolicy: { max: 1, behavior: 'WAIT' } },
      'concurrencyPolicy.behavior',
    ],
  ])("cannot have %s in Flyte's form", async (_name, settings, path) => {
    expect(await createFlyte(settings, `f${++count}`)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'flyte', ...path.split('.')],
    });
  });

  it("cannot stand beside Flyte's form", async () => {
    const input = { key: keyOf(project, 'twice'), flyte: {}, interruptible: false };
    expect(await mutate(app, 'createLaunchPlan', input)).toMatchObject({ path: ['input', 'flyte'] });
  });
});

describe('the identity in old fields', () => {
  const left = (field: string, value: unknown) => ({ path: [field], value });
  it.each([
    [[], null],
    [[left('role', 'r')], { iamRole: 'r' }],
    [[left('auth', { kubernetesServiceAccount: 's' }), left('role', 'r')], { k8sServiceAccount: 's' }],
    [
      [left('authRole', { assumableIamRole: 'a' }), left('auth', { assumableIamRole: 'b' })],
      { iamRole: 'a' },
    ],
    [[left('authRole', { assumableIamRole: '' }), left('role', 'r')], { iamRole: 'r' }],
  ])('is that of the first field that names one: %j', (leftovers, expected) => {
    expect(oldIdentity(leftovers)).toEqual(expected);
  });
});

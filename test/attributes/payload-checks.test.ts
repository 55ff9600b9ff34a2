import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';
import { override, overrides, tags, update } from './attributes-seed.ts';

const project = 'strict';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
});
afterAll(() => app.stop());

const long = 'x'.repeat(256);
const longValue = 'x'.repeat(4097);
const many = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`);
const pairs = (count: number) => many(count).map((key) => ({ key, value: 'v' }));
const limits = (spec: object) => ({ taskResource: { limits: spec } });
const config = (fields: object) => ({ workflowExecutionConfig: fields });
const cluster = (attributes: object) => ({ clusterResource: { attributes } });
const runAs = (fields: object) => config({ securityContext: { runAs: fields } });
const secrets = (all: readonly object[]) => config({ securityContext: { secrets: all } });
const token = (fields: object) => config({ securityContext: { tokens: [{ name: 't', ...fields }] } });
const environment = { name: 'warm', type: 'actor', spec: {} };
const assignment = { nodeIds: ['a'], taskType: 'container', executionEnv: environment };
const assigned = (fields: object) => config({ executionEnvAssignments: [{ ...assignment, ...fields }] });
const inEnvironment = (fields: object) => assigned({ executionEnv: { ...environment, ...fields } });
/** An object that takes so many bytes as JSON. */
const ofBytes = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });

/** What is wrong, the input, and the path of the problem after `input.attributes`. */
const faults: readonly (readonly [string, object, string])[] = [
  ['no resource', { taskResource: { defaults: {} } }, 'taskResource'],
  ['an amount that is no quantity', limits({ cpu: 'two' }), 'taskResource.limits.cpu'],
  ['an empty amount', limits({ storage: '' }), 'taskResource.limits.storage'],
  ['a negative amount', limits({ memory: '-1' }), 'taskResource.limits.memory'],
  ['a part of a GPU', limits({ gpu: '0.5' }), 'taskResource.limits.gpu'],
  [
    'a default above its limit',
    { taskResource: { defaults: { cpu: '2001m' }, limits: { cpu: '2' } } },
    'taskResource.defaults.cpu',
  ],
  ['no cluster attribute', cluster([]), 'clusterResource.attributes'],
  ['too many cluster attributes', cluster(pairs(101)), 'clusterResource.attributes'],
  ['a cluster attribute without a key', cluster([{ key: '', value: '' }]), 'clusterResource.attributes.'],
  ['a long key', cluster([{ key: long, value: '' }]), `clusterResource.attributes.${long}`],
  ['a long value', cluster([{ key: 'k', value: longValue }]), 'clusterResource.attributes.k'],
  ['a key twice', cluster([...pairs(1), ...pairs(1)]), 'clusterResource.attributes.n0'],
  ['no tag', tags(), 'executionQueue.tags'],
  ['too many tags', tags(...many(101)), 'executionQueue.tags'],
  ['an empty tag', tags(''), 'executionQueue.tags.0'],
  ['a long tag', tags('a', long), 'executionQueue.tags.1'],
  ['a tag twice', tags('a', 'a'), 'executionQueue.tags.1'],
  ['an empty cluster label', { executionClusterLabel: { value: '' } }, 'executionClusterLabel.value'],
  ['a long cluster label', { executionClusterLabel: { value: long } }, 'executionClusterLabel.value'],
  ['a negative budget', { qualityOfService: { queueingBudget: '-PT1S' } }, 'qualityOfService.queueingBudget'],
  ['no override', overrides(), 'pluginOverride.overrides'],
  [
    'too many overrides',
    overrides(...many(101).map((type) => override(type, 'p'))),
    'pluginOverride.overrides',
  ],
  ['an override without a type', overrides(override('', 'p')), 'pluginOverride.overrides.0.taskType'],
  ['a type twice', overrides(override('a', 'p'), override('a', 'p')), 'pluginOverride.overrides.1.taskType'],
  ['an override without plugins', overrides(override('a')), 'pluginOverride.overrides.0.pluginIds'],
  ['too many plugins', overrides(override('a', ...many(101))), 'pluginOverride.overrides.0.pluginIds'],
  ['a plugin twice', overrides(override('a', 'p', 'p')), 'pluginOverride.overrides.0.pluginIds.1'],
  ['a long plugin', overrides(override('a', long)), 'pluginOverride.overrides.0.pluginIds.0'],
  ['an empty configuration', config({}), 'workflowExecutionConfig'],
  [
    'a configuration of empty lists',
    config({ labels: [], executionEnvAssignments: [] }),
    'workflowExecutionConfig',
  ],
  ['a negative parallelism', config({ maxParallelism: -1 }), 'workflowExecutionConfig.maxParallelism'],
  [
    'an empty security context',
    config({ securityContext: { runAs: {} } }),
    'workflowExecutionConfig.securityContext',
  ],
  ['an empty identity', runAs({ iamRole: '' }), 'workflowExecutionConfig.securityContext.runAs.iamRole'],
  ['a long identity', runAs({ iamRole: long }), 'workflowExecutionConfig.securityContext.runAs.iamRole'],
  [
    'too many secrets',
    secrets(many(101).map((group) => ({ group }))),
    'workflowExecutionConfig.securityContext.secrets',
  ],
  [
    'a secret without a group',
    secrets([{ group: '' }]),
    'workflowExecutionConfig.securityContext.secrets.0.group',
  ],
  [
    'a long group of a secret',
    secrets([{ group: long, key: 'k' }]),
    'workflowExecutionConfig.securityContext.secrets.0.group',
  ],
  [
    'a long key of a secret',
    secrets([{ group: 'g', key: long }]),
    'workflowExecutionConfig.securityContext.secrets.0.key',
  ],
  [
    'a long version of a group',
    secrets([{ group: 'g', groupVersion: long }]),
    'workflowExecutionConfig.securityContext.secrets.0.groupVersion',
  ],
  [
    'a secret of a client without a group',
    runAs({ oauth2Client: { clientId: 'c', clientSecret: { group: '' } } }),
    'workflowExecutionConfig.securityContext.runAs.oauth2Client.clientSecret.group',
  ],
  [
    'a token of a client without an id',
    token({ client: { clientId: '' } }),
    'workflowExecutionConfig.securityContext.tokens.0.client.clientId',
  ],
  [
    'a long address of an identity provider',
    token({ idpDiscoveryEndpoint: longValue }),
    'workflowExecutionConfig.securityContext.tokens.0.idpDiscoveryEndpoint',
  ],
  [
    'an empty prefix',
    config({ rawOutputDataConfig: { outputLocationPrefix: '' } }),
    'workflowExecutionConfig.rawOutputDataConfig.outputLocationPrefix',
  ],
  [
    'a long prefix',
    config({ rawOutputDataConfig: { outputLocationPrefix: longValue } }),
    'workflowExecutionConfig.rawOutputDataConfig.outputLocationPrefix',
  ],
  ['too many labels', config({ labels: pairs(17) }), 'workflowExecutionConfig.labels'],
  ['a wrong label', config({ labels: [{ key: '!', value: '' }] }), 'workflowExecutionConfig.labels.!'],
  ['too many annotations', config({ annotations: pairs(101) }), 'workflowExecutionConfig.annotations'],
  [
    'a long annotation',
    config({ annotations: [{ key: 'a', value: longValue }] }),
    'workflowExecutionConfig.annotations.a',
  ],
  [
    'an annotation without a key',
    config({ annotations: [{ key: '', value: '' }] }),
    'workflowExecutionConfig.annotations.',
  ],
  ['too many variables', config({ envs: pairs(101) }), 'workflowExecutionConfig.envs'],
  [
    'a wrong name of a variable',
    config({ envs: [{ key: '1A', value: '' }] }),
    'workflowExecutionConfig.envs.1A',
  ],
  [
    'a long name of a variable',
    config({ envs: [{ key: long, value: '' }] }),
    `workflowExecutionConfig.envs.${long}`,
  ],
  ['a long variable', config({ envs: [{ key: 'A', value: longValue }] }), 'workflowExecutionConfig.envs.A'],
  [
    'too many assignments',
    config({ executionEnvAssignments: many(101).map(() => assignment) }),
    'workflowExecutionConfig.executionEnvAssignments',
  ],
  ['no node', assigned({ nodeIds: [] }), 'workflowExecutionConfig.executionEnvAssignments.0.nodeIds'],
  [
    'too many nodes',
    assigned({ nodeIds: many(101) }),
    'workflowExecutionConfig.executionEnvAssignments.0.nodeIds',
  ],
  [
    'no type of task',
    assigned({ taskType: '' }),
    'workflowExecutionConfig.executionEnvAssignments.0.taskType',
  ],
  [
    'an environment without a name',
    inEnvironment({ name: '' }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv.name',
  ],
  [
    'an environment without a type',
    inEnvironment({ type: '' }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv.type',
  ],
  [
    'a long version',
    inEnvironment({ version: long }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv.version',
  ],
  [
    'both environments',
    inEnvironment({ extant: {} }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv',
  ],
  [
    'no environment',
    inEnvironment({ spec: null }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv',
  ],
  [
    'a specification of more than 64 KiB',
    inEnvironment({ spec: ofBytes(64 * 1024 + 1) }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv',
  ],
  [
    'an environment that exists and has more than 64 KiB',
    inEnvironment({ spec: null, extant: ofBytes(64 * 1024 + 1) }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv',
  ],
  [
    'an environment that is not an object',
    inEnvironment({ spec: [1] }),
    'workflowExecutionConfig.executionEnvAssignments.0.executionEnv.spec',
  ],
  ['an empty pool', { clusterAssignment: { clusterPoolName: '' } }, 'clusterAssignment.clusterPoolName'],
  ['a long pool', { clusterAssignment: { clusterPoolName: long } }, 'clusterAssignment.clusterPoolName'],
];

/** Inputs at the very bounds. */
const largest: readonly (readonly [string, object])[] = [
  ['attributes', cluster(pairs(100))],
  ['a key and a value', cluster([{ key: long.slice(1), value: longValue.slice(1) }])],
  ['tags', tags(...many(100))],
  ['plugins', overrides(override('a', ...many(100)))],
  ['labels', config({ labels: pairs(16) })],
  ['variables', config({ envs: pairs(100) })],
  ['a parallelism of 0', config({ maxParallelism: 0 })],
  ['a budget of 0', { qualityOfService: { queueingBudget: 'PT0S' } }],
  ['a default that equals its limit', { taskResource: { defaults: { cpu: '2000m' }, limits: { cpu: '2' } } }],
  ['assignments', config({ executionEnvAssignments: many(100).map(() => assignment) })],
  ['an environment that exists', inEnvironment({ spec: null, extant: {} })],
  ['a specification', inEnvironment({ spec: ofBytes(64 * 1024) })],
  ['a secret with a key and no group', secrets([{ group: '', key: 'k' }])],
  ['a part of a CPU', limits({ cpu: '0.5' })],
  ['no GPU', limits({ gpu: '0' })],
];

describe('a payload', () => {
  it.each(faults)('is refused for %s', async (_name, attributes, path) => {
    const answer = await update(app, { project }, attributes);
    expect(answer.code).toBe('INVALID_ARGUMENT');
    const paths = answer.problems.map((problem: Answer) => problem.path.join('.'));
    expect(paths).toContain(`input.attributes.${path}`);
  });

  it.each(largest)('is accepted with the largest: %s', async (_name, attributes) => {
    expect(await update(app, { project }, attributes)).toHaveProperty('resourceType');
  });

  it('is refused with all its problems at once', async () => {
    const { problems } = await update(app, { project }, limits({ cpu: 'x', gpu: '0.5', memory: '-1' }));
    expect(problems).toEqual([
      {
        path: ['input', 'attributes', 'taskResource', 'limits', 'cpu'],
        code: 'InvalidValue',
        message: 'not a Kubernetes quantity, such as 500m or 1.5Gi',
      },
      {
        path: ['input', 'attributes', 'taskResource', 'limits', 'gpu'],
        code: 'InvalidValue',
        message: 'the number of GPUs must be a whole number',
      },
      {
        path: ['input', 'attributes', 'taskResource', 'limits', 'memory'],
        code: 'InvalidValue',
        message: 'must not be negative',
      },
    ]);
  });

  it.each([
    ['none', {}],
    ['two', { ...tags('a'), clusterAssignment: { clusterPoolName: 'pool' } }],
  ])('is refused before it runs with kinds: %s', async (_name, attributes) => {
    const { data, errors } = await app.ask(
      'mutation ($input: UpdateProjectAttributesInput!) { updateProjectAttributes(input: $input) { __typename } }',
      { input: { project, attributes } },
    );
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_ARGUMENT' } }]);
  });
});

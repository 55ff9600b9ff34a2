import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkflowExecutionConfig } from '../../src/attributes/domain/payloads.ts';
import type { ScopedAttributes } from '../../src/attributes/domain/resolve.ts';
import { clusterFor } from '../../src/executions/domain/execution-clusters.ts';
import { resolveSettings, type SettingSources } from '../../src/executions/domain/execution-spec.ts';
import { Place } from '../../src/values/problem-list.ts';

const projectId = 'p';
const scope = { projectId, domain: 'production', workflow: 'train', launchPlan: 'nightly' };
const wholeProject = { projectId, domain: null, workflow: null, launchPlan: null };
const wholeDomain = { ...wholeProject, domain: 'production' };
const ofWorkflow = { ...wholeDomain, workflow: 'train' };

const config = (at: object, payload: WorkflowExecutionConfig) =>
  ({ ...at, resourceType: 'WORKFLOW_EXECUTION_CONFIG', payload }) as ScopedAttributes;

const service = {
  maxParallelism: 25,
  queueingBudgets: new Map([['HIGH', 60]]),
  tiersByDomain: new Map<string, string>(),
  poolsByDomain: new Map<string, string>(),
  clusterLabel: null,
  labelLimit: 0,
  annotationLimit: 0,
};
const nothing: SettingSources = {
  request: {},
  launchPlan: {},
  oldIdentity: null,
  workflow: null,
  records: [],
  scope,
  projectLabels: {},
  service,
};

function resolve(sources: Partial<SettingSources>) {
  const place = new Place(['input']);
  const settings = resolveSettings({ ...nothing, ...sources }, place);
  return { ...settings, problems: place.problems.all.map(({ path }) => path.join('.')) };
}

/** The four sources of the fields of a configuration, from the nearest to the farthest. */
type Chain = readonly [
  WorkflowExecutionConfig,
  WorkflowExecutionConfig,
  WorkflowExecutionConfig,
  WorkflowExecutionConfig,
];
const resolveChain = ([request, launchPlan, workflow, project]: Chain, more: Partial<SettingSources> = {}) =>
  resolve({
    request,
    launchPlan,
    records: [config(ofWorkflow, workflow), config(wholeProject, project)],
    ...more,
  });

/** Each field, with two values that a source can have, and how the result is read. */
const wholeFields: readonly (readonly [keyof WorkflowExecutionConfig, object, object])[] = [
  ['labels', { a: '1' }, { b: '2' }],
  ['annotations', { a: '1' }, { b: '2' }],
  ['envs', { A: '1' }, { B: '2' }],
  ['rawOutputDataConfig', { outputLocationPrefix: 's3://a' }, { outputLocationPrefix: 's3://b' }],
  ['securityContext', { runAs: { iamRole: 'a' } }, { runAs: { k8sServiceAccount: 'b' } }],
  [
    'executionEnvAssignments',
    [{ nodeIds: ['a'], taskType: 't', executionEnv: { name: 'x', type: 'y' } }],
    [{ nodeIds: ['b'], taskType: 't', executionEnv: { name: 'x', type: 'y' } }],
  ],
];

describe('resolveSettings', () => {
  it.each(wholeFields)('takes %s as a whole from the first source that has it', (field, near, far) => {
    for (const at of [0, 1, 2, 3]) {
      const sources = [0, 1, 2, 3].map((one) => {
        if (one < at) return {};
        return { [field]: one === at ? near : far };
      });
      expect(resolveChain(sources as unknown as Chain).spec, `source ${at}`).toEqual({ [field]: near });
    }
    expect(resolveChain([{}, {}, {}, {}]).spec).toEqual({});
  });

  it.each([
    ['an empty map', 'labels', {}, { b: '2' }],
    ['an empty list', 'executionEnvAssignments', [], [{ nodeIds: ['b'] }]],
    [
      'an empty prefix',
      'rawOutputDataConfig',
      { outputLocationPrefix: '' },
      { outputLocationPrefix: 's3://b' },
    ],
    [
      'a context without an identity',
      'securityContext',
      { secrets: [{ group: 'g' }] },
      { runAs: { iamRole: 'b' } },
    ],
    [
      'an identity of OAuth 2 alone',
      'securityContext',
      { runAs: { oauth2Client: { clientId: 'c' } } },
      { runAs: { executionIdentity: 'b' } },
    ],
  ])('does not count %s', (_name, field, near, far) => {
    const chain = [{ [field]: near }, { [field]: far }, {}, {}] as unknown as Chain;
    expect(resolveChain(chain).spec).toEqual({ [field]: far });
  });

  it('takes the identity in old fields if no context names one, and the first context if nothing does', () => {
    const secrets = { secrets: [{ group: 'g', mountRequirement: 'ANY' as const }] };
    const oldIdentity = { iamRole: 'old' };
    const request = { securityContext: secrets };
    expect(resolve({ request, oldIdentity }).spec).toEqual({ securityContext: { runAs: oldIdentity } });
    expect(resolve({ request }).spec).toEqual({ securityContext: secrets });
    const launchPlan = { securityContext: { runAs: { iamRole: 'new' } } };
    expect(resolve({ request, launchPlan, oldIdentity }).spec).toEqual(launchPlan);
  });

  it('finds the first source for each field, whatever the other fields are', () => {
    const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
    const one = fc.record({
      interruptible: maybe(fc.boolean()),
      overwriteCache: maybe(fc.boolean()),
      maxParallelism: maybe(fc.nat({ max: 3 })),
      labels: maybe(fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'))),
    });
    fc.assert(
      fc.property(fc.tuple(one, one, one, one), (drawn) => {
        const chain = drawn as unknown as Chain;
        const resolved = resolveChain(chain);
        const [request, ...others] = chain;
        const interruptible = chain.find((source) => source.interruptible !== undefined)?.interruptible;
        expect(resolved.interruptible).toBe(interruptible ?? null);
        expect(resolved.overwriteCache).toBe(chain.some((source) => source.overwriteCache === true));
        const limit = others.find((source) => (source.maxParallelism ?? 0) > 0)?.maxParallelism;
        expect(resolved.maxParallelism).toBe(request.maxParallelism ?? limit ?? 25);
        const labels = chain.find((source) => Object.keys(source.labels ?? {}).length > 0)?.labels;
        expect(resolved.spec.labels).toEqual(labels);
      }),
    );
  });

  it('reads only the narrowest record and that of the project', () => {
    const records = [
      config(wholeProject, { envs: { P: '1' } }),
      config(wholeDomain, { labels: { d: '1' }, annotations: { d: '1' } }),
      config(ofWorkflow, { labels: { w: '1' } }),
    ];
    expect(resolve({ records }).spec).toEqual({ labels: { w: '1' }, envs: { P: '1' } });
    expect(resolve({ records: records.slice(0, 2) }).spec).toEqual({
      labels: { d: '1' },
      annotations: { d: '1' },
      envs: { P: '1' },
    });
  });

  it('adds the labels of the project for keys that are absent', () => {
    const request = { labels: { team: 'ml', a: '1' } };
    expect(resolve({ request, projectLabels: { team: 'web', cost: '7' } }).spec.labels).toEqual({
      team: 'ml',
      a: '1',
      cost: '7',
    });
    expect(resolve({ projectLabels: { team: 'web' } }).spec.labels).toEqual({ team: 'web' });
  });

  it('limits labels, with those of the project, and annotations', () => {
    const limited = { ...service, labelLimit: 2, annotationLimit: 1 };
    const request = { labels: { a: '', b: '' }, annotations: { a: '' } };
    expect(resolve({ request, service: limited }).problems).toEqual([]);
    expect(resolve({ request, service: limited, projectLabels: { c: '' } }).problems).toEqual([
      'input.labels',
    ]);
    const annotations = { a: '', b: '' };
    expect(resolve({ request: { annotations }, service: limited }).problems).toEqual(['input.annotations']);
    expect(resolve({ request: { annotations } }).problems).toEqual([]);
  });

  const pool = (clusterPoolName: string) => ({ clusterAssignment: { clusterPoolName } });
  const poolOf = (at: object, clusterPoolName: string) =>
    ({ ...at, resourceType: 'CLUSTER_ASSIGNMENT', payload: { clusterPoolName } }) as ScopedAttributes;
  const configured = { ...service, poolsByDomain: new Map([['production', 'c']]) };
  it.each([
    ['nothing', {}, undefined, []],
    ['the request', { request: pool('r') }, 'r', []],
    ['the launch plan', { launchPlan: pool('l') }, 'l', []],
    ['the request before the launch plan', { request: pool('r'), launchPlan: pool('l') }, 'r', []],
    ['the record of the domain', { records: [poolOf(wholeDomain, 's')], service: configured }, 's', []],
    ['the configuration', { service: configured }, 'c', []],
    ['a request that agrees', { request: pool('s'), records: [poolOf(wholeDomain, 's')] }, 's', []],
    [
      'a request that differs',
      { request: pool('r'), records: [poolOf(wholeDomain, 's')] },
      's',
      ['input.clusterAssignment'],
    ],
    ['a launch plan that differs', { launchPlan: pool('l'), service: configured }, 'c', ['input.launchPlan']],
    [
      'the domain if an earlier execution had another one',
      { request: pool('r'), isInherited: true, service: configured },
      'c',
      [],
    ],
    ['an earlier execution if the domain has none', { request: pool('r'), isInherited: true }, 'r', []],
    [
      'a launch plan that differs, also for an inherited request',
      { launchPlan: pool('l'), isInherited: true, service: configured },
      'c',
      ['input.launchPlan'],
    ],
    ['a record of the workflow, which does not count', { records: [poolOf(ofWorkflow, 'w')] }, undefined, []],
  ] as const)('chooses the cluster pool by %s', (_name, sources, expected, problems) => {
    const resolved = resolve(sources as Partial<SettingSources>);
    expect(resolved.spec.clusterAssignment?.clusterPoolName).toBe(expected);
    expect(resolved.problems).toEqual(problems);
  });

  const quality = (queueingBudgetMilliseconds: number) => ({
    qualityOfService: { queueingBudgetMilliseconds },
  });
  const record = {
    ...ofWorkflow,
    resourceType: 'QUALITY_OF_SERVICE_SPECIFICATION',
    payload: { queueingBudgetMilliseconds: 4 },
  } as ScopedAttributes;
  const tiers = { ...service, tiersByDomain: new Map([['production', 'HIGH']]) };
  const all = {
    request: quality(1),
    launchPlan: quality(2),
    workflow: quality(3).qualityOfService,
    records: [record],
    service: tiers,
  };
  it.each([
    ['the request', all, 1],
    ['the launch plan', { ...all, request: {} }, 2],
    ['the workflow', { ...all, request: {}, launchPlan: {} }, 3],
    ['the record', { ...all, request: {}, launchPlan: {}, workflow: null }, 4],
    ['the tier of the domain', { service: tiers }, 60_000],
    ['a tier of the request', { request: { qualityOfService: { tier: 'HIGH' as const } } }, 60_000],
    [
      'a tier without a budget',
      { request: { qualityOfService: { tier: 'LOW' as const } }, service: tiers },
      undefined,
    ],
    ['a budget of 0', { request: quality(0), service: tiers }, undefined],
    ['nothing', {}, undefined],
  ])('takes the queueing budget of %s', (_name, sources, expected) => {
    expect(resolve(sources).spec.queueingBudgetMilliseconds).toBe(expected);
  });

  it('stores only the quality of service that the request asked for', () => {
    expect(resolve(all).spec.qualityOfService).toEqual(quality(1).qualityOfService);
    expect(resolve({ ...all, request: {} }).spec.qualityOfService).toBeUndefined();
  });

  const label = {
    ...wholeProject,
    resourceType: 'EXECUTION_CLUSTER_LABEL',
    payload: { value: 'stored' },
  } as ScopedAttributes;
  const byDefault = { ...service, clusterLabel: 'default' };
  it.each([
    ['the request', { request: { executionClusterLabel: { value: 'asked' } }, records: [label] }, 'asked'],
    ['the record', { records: [label], service: byDefault }, 'stored'],
    ['the configuration', { service: byDefault }, 'default'],
    ['nothing', {}, undefined],
  ])('takes the cluster label of %s', (_name, sources, expected) => {
    expect(resolve(sources).spec.executionClusterLabel?.value).toBe(expected);
  });
});

describe('clusterFor', () => {
  const clusters = [
    ['gpu', 'east'],
    ['gpu', 'west'],
    ['cpu', 'north'],
  ] as const;
  const names = Array.from({ length: 100 }, (_, at) => `run-${at}`);
  const chosen = (label: string | null) => new Set(names.map((name) => clusterFor(name, label, clusters)));

  it('chooses among the clusters with the label, and among all without one', () => {
    expect(chosen('gpu')).toEqual(new Set(['east', 'west']));
    expect(chosen('cpu')).toEqual(new Set(['north']));
    expect(chosen(null)).toEqual(new Set(['east', 'west', 'north']));
    expect(chosen('unknown')).toEqual(new Set(['east', 'west', 'north']));
    expect(clusterFor('a', 'gpu', [])).toBeNull();
  });

  it('chooses the same cluster for the same name, in whatever order they are configured', () => {
    for (const name of names)
      expect(clusterFor(name, 'gpu', [...clusters].reverse())).toBe(clusterFor(name, 'gpu', clusters));
  });
});

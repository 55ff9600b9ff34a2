/** What is asked of a job that a user submits, and what it gets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GivenJob } from '../../../src/jobs/domain/submitting/given-job.ts';
import { withJobId } from '../../../src/jobs/domain/submitting/job-texts.ts';
import { type JobRules, readJob } from '../../../src/jobs/domain/submitting/read-job.ts';
import { newId } from '../../../src/platform/ids.ts';
import { Place } from '../../../src/values/problem-list.ts';

const jobId = newId();
const usual: JobRules = {
  resources: {
    defaults: { cpu: '1', memory: '1Gi' },
    minimums: { memory: '1Mi' },
    oversubscription: { memory: '1.5' },
  },
  deadlines: {
    deadlineSeconds: 259_200,
    resourceDeadlines: new Map([
      ['nvidia.com/gpu', 1_209_600],
      ['cpu', 100],
    ]),
  },
  restrictedTolerations: ['reserved'],
};

type More = Partial<Omit<GivenJob, 'container'>> & { readonly container?: Partial<GivenJob['container']> };

function read({ container, ...more }: More = {}, rules = usual) {
  const place = new Place(['job']);
  const given = { ...more, container: { image: 'x', ...container } };
  const job = readJob(given, rules, { jobId, queue: 'q', jobSet: 's' }, place);
  return { job, paths: place.problems.all.map(({ path }) => path.slice(1).join('.')) };
}

const resources = (requests: Record<string, string>, limits: Record<string, string> = {}) => {
  const list = (amounts: Record<string, string>) =>
    Object.entries(amounts).map(([name, value]) => ({ name, value }));
  return { container: { resources: { requests: list(requests), limits: list(limits) } } };
};
const entries = (map: Record<string, string>) => Object.entries(map).map(([key, value]) => ({ key, value }));
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ key: `k${at}`, value: 'v' }));
const armada = (map: Record<string, string>) => ({
  annotations: entries(
    Object.fromEntries(Object.entries(map).map(([key, value]) => [`armadaproject.io/${key}`, value])),
  ),
});
const gang = { id: 'g', cardinality: 2 };

describe('a job that says little', () => {
  it('gets all defaults', () => {
    const { job, paths } = read(
      {},
      { ...usual, deadlines: { ...usual.deadlines, resourceDeadlines: new Map() } },
    );
    expect(paths).toEqual([]);
    const amounts = [
      { name: 'cpu', value: '1' },
      { name: 'memory', value: '1Gi' },
    ];
    expect(job).toMatchObject({
      ...{ id: jobId, clientId: null, priority: 0, priorityClass: null, pool: 'default' },
      ...{ namespace: 'default', failFast: false, onPreemption: 'FAIL', externalUri: null },
      ...{ labels: {}, annotations: {}, nodeSelector: {}, tolerations: [], activeDeadlineSeconds: 259_200 },
      spec: {
        container: { resources: { requests: amounts, limits: amounts } },
        terminationGraceSeconds: 1,
        interface: { inputs: {}, outputs: {} },
        environment: {
          ...{ SLIPWAY_JOB_ID: jobId, SLIPWAY_QUEUE: 'q', SLIPWAY_JOB_SET: 's' },
          ...{ ARMADA_JOB_ID: jobId, ARMADA_QUEUE: 'q', ARMADA_JOB_SET_ID: 's' },
        },
      },
    });
    expect(job.gang).toBeUndefined();
    expect(Object.keys(job.spec.environment)).toHaveLength(6);
  });
});

describe('resources', () => {
  it.each([
    ['requests alone', resources({ cpu: '2', memory: '2Gi' }), { cpu: '2', memory: '2Gi' }],
    ['limits alone', resources({}, { cpu: '2', memory: '2Gi' }), { cpu: '2', memory: '2Gi' }],
    ["Flyte's names", resources({ CPU: '2', GPU: '1' }), { cpu: '2', memory: '1Gi', 'nvidia.com/gpu': '1' }],
    ['gpu in small letters', resources({ gpu: '1' }), { cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '1' }],
    ['a default for what neither names', resources({ cpu: '500m' }), { cpu: '500m', memory: '1Gi' }],
    ['nothing of a resource', resources({ cpu: '0' }), { cpu: '0', memory: '1Gi' }],
  ])('may be %s', (_what, given, expected) => {
    const { job, paths } = read(given);
    expect(paths).toEqual([]);
    const { requests, limits } = job.spec.container.resources;
    expect(Object.fromEntries(requests.map(({ name, value }) => [name, value]))).toEqual(expected);
    expect(limits).toEqual(requests);
  });

  it('may have a limit above the request as far as the operator allows it', () => {
    expect(read(resources({ memory: '2Gi' }, { memory: '3Gi' })).paths).toEqual([]);
    expect(read(resources({ memory: '2Gi' }, { memory: '3073Mi' })).paths).toEqual([
      'container.resources.limits.memory',
    ]);
  });

  const at = (list: string, name: string) => [`container.resources.${list}.${name}`];
  it.each([
    [
      'a request without its limit',
      resources({ cpu: '1', memory: '1Gi' }, { cpu: '1' }),
      at('limits', 'memory'),
    ],
    [
      'a limit without its request',
      resources({ cpu: '1' }, { cpu: '1', memory: '1Gi' }),
      at('requests', 'memory'),
    ],
    ['a negative amount', resources({ cpu: '-1' }), at('requests', 'cpu')],
    ['an amount that is none', resources({ cpu: 'many' }), at('requests', 'cpu')],
    ['a limit below the request', resources({ cpu: '2' }, { cpu: '1' }), at('limits', 'cpu')],
    ['a limit above the request', resources({ cpu: '1' }, { cpu: '1.001' }), at('limits', 'cpu')],
    ['less than the minimum', resources({ memory: '1023Ki' }), at('requests', 'memory')],
    ['a name in capitals', resources({ 'Cpu!': '1' }), at('requests', 'Cpu!')],
    ['a name that no node has', resources({ cpus: '1' }), at('requests', 'cpus')],
    ['another name that no node has', resources({ disk: '1Gi' }), at('requests', 'disk')],
    [
      'gpu under both of its names',
      resources({ gpu: '1', 'nvidia.com/gpu': '1' }),
      at('requests', 'nvidia.com/gpu'),
    ],
    ['storage, which no node has', resources({ STORAGE: '1Gi' }), at('requests', 'STORAGE')],
    ['the places of executors', resources({ slots: '0' }), at('requests', 'slots')],
    ['a resource under both of its names', resources({ cpu: '1', CPU: '1' }), at('requests', 'CPU')],
  ])('are refused with %s', (_what, given, paths) => {
    expect(read(given).paths).toEqual(paths);
  });

  it('are at most 16', () => {
    const names = Object.fromEntries(
      Array.from({ length: 17 }, (_, index) => [`example.com/r${index}`, '1']),
    );
    expect(read(resources(names)).paths).toEqual(['container.resources.requests']);
  });
});

describe('the deadline of a job', () => {
  it.each([
    [{ activeDeadline: 1 }, 1],
    [{ activeDeadline: 1000 }, 1],
    [{ activeDeadline: 1001 }, 2],
    [resources({ 'nvidia.com/gpu': '1' }), 1_209_600],
    [resources({ 'nvidia.com/gpu': '0', cpu: '1' }), 100],
    [resources({ 'nvidia.com/gpu': '1', cpu: '1' }), 1_209_600],
    [{ ...resources({ 'nvidia.com/gpu': '1' }), activeDeadline: 5000 }, 5],
  ])('is rounded up, or else a default: %j', (given, seconds) => {
    const rules = { ...usual, resources: { ...usual.resources, defaults: {} } };
    expect(read(given, rules)).toMatchObject({ job: { activeDeadlineSeconds: seconds }, paths: [] });
  });

  it.each([0, 2_147_483_647_001])('is not %d ms', (activeDeadline) => {
    expect(read({ activeDeadline }).paths).toEqual(['activeDeadline']);
  });
});

describe('the grace of a job', () => {
  it.each([
    [null, 1],
    [0, 1],
    [1000, 1],
    [1001, 2],
    [300_000, 300],
  ])('of %d ms is %d s', (terminationGrace, seconds) => {
    const { job, paths } = read({ terminationGrace });
    expect(paths).toEqual([]);
    expect(job.spec.terminationGraceSeconds).toBe(seconds);
  });

  it.each([999, 300_001])('is not %d ms', (terminationGrace) => {
    expect(read({ terminationGrace }).paths).toEqual(['terminationGrace']);
  });
});

describe('a gang', () => {
  const described = { name: 'g', cardinality: 2, uniformityLabel: 'zone' };
  it.each([
    ['its field', { gang: { ...gang, nodeUniformityLabel: 'zone' } }],
    ["Armada's annotations", armada({ gangId: 'g', gangCardinality: '2', gangNodeUniformityLabel: 'zone' })],
  ])('is described by %s, and its jobs fail with their first lost attempt', (_what, given) => {
    const { job, paths } = read(given);
    expect(paths).toEqual([]);
    expect(job).toMatchObject({ gang: described, failFast: true });
    expect(job.spec.environment).toMatchObject({
      ...{ SLIPWAY_GANG_ID: 'g', SLIPWAY_GANG_CARDINALITY: '2' },
      ...{ SLIPWAY_GANG_NODE_UNIFORMITY_LABEL_NAME: 'zone', ARMADA_GANG_ID: 'g' },
      ...{ ARMADA_GANG_CARDINALITY: '2', ARMADA_GANG_NODE_UNIFORMITY_LABEL_NAME: 'zone' },
    });
  });

  it('of one job is an ordinary job', () => {
    const { job } = read({ gang: { id: 'g', cardinality: 1 }, failFast: false });
    expect(job).toMatchObject({ failFast: false });
    expect(job.spec.environment).not.toHaveProperty('SLIPWAY_GANG_ID');
  });

  const annotation = (key: string) => [`annotations.armadaproject.io/${key}`];
  it.each([
    ['no number', armada({ gangId: 'g' }), annotation('gangCardinality')],
    ['a number of 0', armada({ gangId: 'g', gangCardinality: '0' }), annotation('gangCardinality')],
    ['a negative number', armada({ gangId: 'g', gangCardinality: '-1' }), annotation('gangCardinality')],
    [
      'a number that is not whole',
      armada({ gangId: 'g', gangCardinality: '1.5' }),
      annotation('gangCardinality'),
    ],
    ['an empty id', armada({ gangId: '', gangCardinality: '2' }), annotation('gangId')],
    ['both forms', { gang, ...armada({ gangId: 'g', gangCardinality: '2' }) }, annotation('gangId')],
    ['a slow end', { gang, failFast: false }, ['failFast']],
    [
      'a slow end in an annotation',
      armada({ gangId: 'g', gangCardinality: '2', failFast: 'false' }),
      annotation('failFast'),
    ],
    ['a word in place of true', armada({ failFast: 'yes' }), annotation('failFast')],
  ])('is refused with %s', (_what, given, paths) => {
    expect(read(given).paths).toEqual(paths);
  });

  it('is not needed to fail with the first lost attempt', () => {
    expect(read({ failFast: true }).job.failFast).toBe(true);
    expect(read(armada({ failFast: 'true' })).job.failFast).toBe(true);
    expect(read(armada({ failFast: 'false' })).job.failFast).toBe(false);
    expect(read(armada({ gangCardinality: 'x' })).paths).toEqual([]);
  });
});

describe('variables', () => {
  it("leave the user's own values alone", () => {
    const { job, paths } = read({ container: { env: entries({ ARMADA_QUEUE: 'mine', A: 'b' }) } });
    expect(paths).toEqual([]);
    expect(job.spec.environment).not.toHaveProperty('ARMADA_QUEUE');
    expect(job.spec.environment).toHaveProperty('SLIPWAY_QUEUE', 'q');
    expect(job.spec.container.env).toEqual(entries({ ARMADA_QUEUE: 'mine', A: 'b' }));
  });

  it.each(['1A', 'a b', '', 'SLIPWAY_QUEUE', 'SLIPWAY_X'])('cannot have the name %j', (name) => {
    expect(read({ container: { env: [{ key: name, value: '' }] } }).paths).toEqual([`container.env.${name}`]);
  });
});

describe('texts', () => {
  it.each([
    ['{JobId}', 'ID'],
    ['a-{JobId}-{JobId}', 'a-ID-ID'],
    ['{{JobId}}', 'JobId'],
    ['{{JobId}}{JobId}', 'JobIdID'],
    ['{{{JobId}}}', '{JobId}'],
    ['{JobId', '{JobId'],
    ['{jobid}', '{jobid}'],
  ])('with %s become %s', (text, expected) => {
    expect(withJobId(text, 'ID')).toBe(expected);
  });

  it('without placeholders stay as they are', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('{JobId}'));
        expect(withJobId(text, jobId)).toBe(text);
      }),
    );
  });

  it('of labels and annotations name the job, in values only', () => {
    const { job, paths } = read({
      labels: entries({ a: 'job-{JobId}' }),
      annotations: entries({ b: '{{JobId}} is {JobId}' }),
    });
    expect(paths).toEqual([]);
    expect(job).toMatchObject({ labels: { a: `job-${jobId}` }, annotations: { b: `JobId is ${jobId}` } });
  });
});

describe('tolerations', () => {
  it('tolerate one value by default', () => {
    expect(
      read(
        { tolerations: [{ key: 'a', value: 'b' }, { operator: 'Exists' }] },
        { ...usual, restrictedTolerations: [] },
      ),
    ).toMatchObject({
      paths: [],
      job: {
        tolerations: [
          { key: 'a', operator: 'Equal', value: 'b', effect: null },
          { key: '', operator: 'Exists', value: '', effect: null },
        ],
      },
    });
  });

  it.each([
    ['no key', {}, '0.key'],
    ['a key that is none', { key: 'a b' }, '0.key'],
    ['a restricted key', { key: 'reserved' }, '0.key'],
    ['all keys if one is restricted', { operator: 'Exists' as const }, '0.key'],
    ['a value that counts for nothing', { key: 'a', operator: 'Exists' as const, value: 'b' }, '0.value'],
  ])('are refused with %s', (_what, toleration, path) => {
    expect(read({ tolerations: [toleration] }).paths).toEqual([`tolerations.${path}`]);
  });

  it('are at most 16', () => {
    expect(read({ tolerations: many(16) }).paths).toEqual([]);
    expect(read({ tolerations: many(17) }).paths).toEqual(['tolerations']);
  });
});

describe('inputs', () => {
  const signature = { inputs: { n: { type: { simple: 'INTEGER' } } }, outputs: {} };
  it('are read with the types of the interface', () => {
    const { job, paths } = read({ interface: signature, inputs: { n: 3 } });
    expect(paths).toEqual([]);
    expect(job.spec).toMatchObject({ interface: signature, inputs: { n: 3 }, inputLiterals: {} });
  });

  it.each([
    ['of another type', { interface: signature, inputs: { n: 'x' } }, ['inputs.n']],
    ['that are missing', { interface: signature }, ['inputs.n']],
    ['that nobody declared', { inputs: { m: 1 } }, ['inputs.m']],
    ['that are a list', { inputs: [1] }, ['inputs']],
    [
      'with an interface that is none',
      { interface: { inputs: { n: { type: 'INTEGER' } } } },
      ['interface.inputs.n.type'],
    ],
  ])('are refused %s', (_what, given, paths) => {
    expect(read(given).paths).toEqual(paths);
  });
});

describe('a job', () => {
  it.each([
    ['an empty image', { container: { image: ' ' } }, ['container.image']],
    ['an image of 1025 characters', { container: { image: 'x'.repeat(1025) } }, ['container.image']],
    ['a large container', { container: { args: ['x'.repeat(65_535)] } }, ['container']],
    ['a pool that is no label', { pool: 'A' }, ['pool']],
    ['a namespace that is no label', { namespace: '' }, ['namespace']],
    ['17 labels', { labels: many(17) }, ['labels']],
    ['a label twice', { labels: [...many(1), ...many(1)] }, ['labels.k0']],
    ['a label value with a space', { labels: entries({ a: 'b c' }) }, ['labels.a']],
    ['a placeholder in a selector', { nodeSelector: entries({ a: '{JobId}' }) }, ['nodeSelector.a']],
    ['17 selectors', { nodeSelector: many(17) }, ['nodeSelector']],
    ['65 annotations', { annotations: many(65) }, ['annotations']],
    ['an annotation with a wrong key', { annotations: entries({ 'a b': '' }) }, ['annotations.a b']],
    ['long annotations', { annotations: entries({ a: 'x'.repeat(65_536) }) }, ['annotations']],
    ['an empty reference', { externalUri: '' }, ['externalUri']],
    ['a long reference', { externalUri: 'x'.repeat(1025) }, ['externalUri']],
    ['no attempts', { maxAttempts: 0 }, ['maxAttempts']],
    ['101 attempts', { maxAttempts: 101 }, ['maxAttempts']],
  ])('is refused with %s', (_what, given, paths) => {
    expect(read(given).paths).toEqual(paths);
  });

  it('may have 16 labels, 16 selectors, 64 annotations, 100 attempts and long texts', () => {
    const given = { labels: many(16), nodeSelector: many(16), annotations: many(64), maxAttempts: 100 };
    expect(
      read({ ...given, externalUri: 'x'.repeat(1024), container: { image: 'x'.repeat(1024) } }),
    ).toMatchObject({
      paths: [],
      job: { maxAttempts: 100 },
    });
  });
});

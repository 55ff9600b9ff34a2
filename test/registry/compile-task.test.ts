import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { isEqual, isGreater, parseQuantity } from '../../src/values/quantities.ts';
import { faultsThrown } from './outcomes.ts';

const task = {
  type: 'container',
  metadata: {},
  interface: { inputs: { rows: { type: { simple: 'INTEGER' } } } },
  container: { image: 'ghcr.io/acme/train:1', command: ['train'] },
};
const withContainer = (container: object) => ({ ...task, container: { ...task.container, ...container } });
const withExtended = (extendedResources: object) => ({ ...task, extendedResources });
const withMetadata = (metadata: object) => ({ ...task, metadata });
const resources = (requests: object, limits: object = {}) =>
  withContainer({ resources: { requests: entries(requests), limits: entries(limits) } });
const entries = (amounts: object) => Object.entries(amounts).map(([name, value]) => ({ name, value }));
const faults = (template: unknown) => faultsThrown(() => compileTask(template, { path: [] }));

describe('compileTask', () => {
  it('answers the canonical form', () => {
    const compiled = compileTask({
      ...resources({ MEMORY: '1Gi', CPU: '500m' }),
      metadata: {
        timeout: 'PT3600S',
        retries: 3,
        cacheIgnoreInputVars: ['b', 'a', 'b'],
        interruptible: null,
      },
      custom: null,
    });
    expect(compiled).toEqual({
      type: 'container',
      metadata: { timeout: 'PT1H', retries: 3, cacheIgnoreInputVars: ['a', 'b'] },
      interface: { inputs: { rows: { type: { simple: 'INTEGER' } } }, outputs: {} },
      container: {
        image: 'ghcr.io/acme/train:1',
        command: ['train'],
        args: [],
        env: [],
        resources: {
          requests: [
            { name: 'CPU', value: '500m' },
            { name: 'MEMORY', value: '1Gi' },
          ],
          limits: [],
        },
      },
    });
  });

  it('compiles its own result to the same result', () => {
    const once = compileTask(resources({ GPU: '1' }, { GPU: '1' }));
    expect(compileTask(once)).toEqual(once);
  });

  it('refuses a union of more than 50 variants, and says where and why', () => {
    const variants = Array.from({ length: 51 }, (_, index) => ({ enumType: { values: [`v${index}`] } }));
    const inputs = { x: { type: { collectionType: { unionType: { variants } } } } };
    expect(faults({ ...task, interface: { inputs } })).toEqual([
      'InvalidValue interface.inputs.x.type.collectionType.unionType.variants',
    ]);
  });

  it('reports all problems together, in the order of the checks', () => {
    const template = {
      metadata: { runtime: { type: 'FLYTE_SDK' }, retries: 11, timeout: '1h' },
      container: { resources: { requests: [{ name: 'GPU', value: '0.5' }] } },
    };
    expect(faults(template)).toEqual([
      'MissingField type',
      'MissingField metadata.runtime.version',
      'InvalidValue metadata.timeout',
      'InvalidValue metadata.retries',
      'MissingField interface',
      'MissingField container.image',
      'InvalidValue container.resources.requests.GPU',
    ]);
  });

  it.each<[string, unknown, string[]]>([
    ['no object', null, ['InvalidValue ']],
    ['an empty type', { ...task, type: '' }, ['MissingField type']],
    ['no metadata', { ...task, metadata: undefined }, ['MissingField metadata']],
    ['an empty image', withContainer({ image: '' }), ['MissingField container.image']],
    ['a negative timeout', withMetadata({ timeout: '-PT1S' }), ['InvalidValue metadata.timeout']],
    ['half a retry', withMetadata({ retries: 1.5 }), ['InvalidValue metadata.retries']],
    ['fewer than no retries', withMetadata({ retries: -1 }), ['InvalidValue metadata.retries']],
    [
      'a type version of 32 bits',
      { ...task, taskTypeVersion: 2_147_483_648 },
      ['InvalidValue taskTypeVersion'],
    ],
    [
      'the port 0',
      withContainer({ ports: [{ containerPort: 0 }] }),
      ['InvalidValue container.ports.0.containerPort'],
    ],
    [
      'a port after the last one',
      withContainer({ ports: [{ containerPort: 65_536 }] }),
      ['InvalidValue container.ports.0.containerPort'],
    ],
    [
      'ignored inputs that are not a list',
      withMetadata({ cacheIgnoreInputVars: 'rows' }),
      ['InvalidValue metadata.cacheIgnoreInputVars'],
    ],
    [
      'a GPU as a whole and in parts',
      withExtended({ gpuAccelerator: { device: 'a100', unpartitioned: true, partitionSize: '1g.5gb' } }),
      ['InvalidValue extendedResources.gpuAccelerator.partitionSize'],
    ],
    [
      'less than no shared memory',
      withExtended({ sharedMemory: { sizeLimit: '-1' } }),
      ['InvalidValue extendedResources.sharedMemory.sizeLimit'],
    ],
    [
      'shared memory without a unit that exists',
      withExtended({ sharedMemory: { sizeLimit: '1Qi' } }),
      ['InvalidValue extendedResources.sharedMemory.sizeLimit'],
    ],
    [
      'shared memory as a number',
      withExtended({ sharedMemory: { sizeLimit: 1 } }),
      ['InvalidValue extendedResources.sharedMemory.sizeLimit'],
    ],
    ['no command and no arguments', withContainer({ command: [] }), ['ValueRequired container.command']],
    ['two targets', { ...task, sql: { statement: 'select 1' } }, ['InvalidValue ']],
    [
      'a resource twice',
      withContainer({ resources: { limits: [...entries({ CPU: '1' }), ...entries({ CPU: '2' })] } }),
      ['InvalidValue container.resources.limits.CPU'],
    ],
    ['no quantity', resources({ CPU: 'a lot' }), ['InvalidValue container.resources.requests.CPU']],
    ['a negative quantity', resources({ CPU: '-1' }), ['InvalidValue container.resources.requests.CPU']],
    [
      'a request above its limit',
      resources({ MEMORY: '1025Mi' }, { MEMORY: '1Gi' }),
      ['InvalidValue container.resources.requests.MEMORY'],
    ],
    [
      'a GPU request below its limit',
      resources({ GPU: '1' }, { GPU: '2' }),
      ['InvalidValue container.resources.requests.GPU'],
    ],
    ['an unknown resource', resources({ TPU: '1' }), ['InvalidValue container.resources.requests.0.name']],
    ['an unknown field', { ...task, retries: 1 }, ['UnrecognizedValue retries']],
  ])('refuses %s', (_what, template, expected) => {
    expect(faults(template)).toEqual(expected);
  });

  it.each<[string, object]>([
    ['no retries', withMetadata({ retries: 0 })],
    ['ten retries', withMetadata({ retries: 10 })],
    ['a timeout of zero', withMetadata({ timeout: 'PT0S' })],
    ['a type version of 31 bits', { ...task, taskTypeVersion: 2_147_483_647 }],
    ['no CPU at all', resources({ CPU: '0' })],
    [
      'the first port and the last one',
      withContainer({ ports: [{ containerPort: 1 }, { containerPort: 65_535 }] }),
    ],
    ['a whole GPU', withExtended({ gpuAccelerator: { device: 'a100', unpartitioned: true } })],
    [
      'a part of a GPU',
      withExtended({ gpuAccelerator: { device: 'a100', unpartitioned: false, partitionSize: '1g.5gb' } }),
    ],
    ['no shared memory', withExtended({ sharedMemory: { sizeLimit: '0' } })],
    ['arguments without a command', withContainer({ command: [], args: ['train'] })],
  ])('accepts %s', (_what, template) => {
    expect(compileTask(template)).toMatchObject({ type: 'container' });
  });

  it('accepts a container without inputs and outputs', () => {
    expect(compileTask({ ...task, interface: {}, container: { image: 'x' } }).container?.command).toEqual([]);
  });

  it('names containers of a pod whose names are not DNS labels', () => {
    const pod = (...names: unknown[]) => ({
      ...task,
      container: null,
      k8sPod: { podSpec: { containers: names.map((name) => ({ name })) } },
    });
    expect(compileTask(pod('main', 'side-car-2')).k8sPod?.podSpec).toBeDefined();
    expect(faults(pod('Main', 'ok', 7))).toEqual([
      'InvalidValue k8sPod.podSpec.containers.0.name',
      'InvalidValue k8sPod.podSpec.containers.2.name',
    ]);
    expect(faults(pod())).toEqual(['ValueRequired k8sPod.podSpec.containers']);
    expect(faults({ ...task, container: null, k8sPod: { podSpec: {} } })).toEqual([
      'ValueRequired k8sPod.podSpec.containers',
    ]);
  });

  it('holds containers to the limits of the platform', () => {
    const platformLimits = [{ name: 'CPU', value: '2' }] as const;
    const compile = (template: unknown) => compileTask(template, { path: [], platformLimits });
    expect(compile(resources({ CPU: '2', MEMORY: '1Ti' })).type).toBe('container');
    expect(faultsThrown(() => compile(resources({ CPU: '2001m' }, { CPU: '3' })))).toEqual([
      'InvalidValue container.resources.requests.CPU',
      'InvalidValue container.resources.limits.CPU',
    ]);
  });
});

describe('parseQuantity', () => {
  const quantity = (text: string) => {
    const parsed = parseQuantity(text);
    if (parsed === null) throw new Error(`${text} is no quantity`);
    return parsed;
  };

  it.each([
    ['1', '1000m'],
    ['1Gi', '1073741824'],
    ['1.5Ki', '1536'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['1M', '1e6'],
    ['1G', '1e9'],
    ['1T', '1e12'],
    ['1P', '1e15'],
    ['1E', '1e18'],
    ['1e30', '1000000000000E'],
    ['1e-30', '0.000000000000000000001n'],
    [`${'0'.repeat(63)}1`, '1'],
    ['.5', '0.5'],
    ['1.', '1'],
    ['100n', '0.1u'],
    ['12345678901234567890.000000001', '12345678901234567890000000001n'],
  ])('reads %s and %s as equal', (one, other) => {
    expect(isEqual(quantity(one), quantity(other))).toBe(true);
  });

  it.each([
    '',
    '.',
    'Gi',
    '1 Gi',
    '1KI',
    '1e',
    '1e31',
    '1e-31',
    '1e1000',
    '--1',
    '0x10',
    '1Gim',
    '1'.repeat(65),
  ])('refuses %j', (text) => {
    expect(parseQuantity(text)).toBeNull();
  });

  it('is exact for numbers that floating point rounds', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 30n });
    fc.assert(
      fc.property(digits, (units) => {
        expect(isGreater(quantity(`${units + 1n}n`), quantity(`${units}n`))).toBe(true);
        expect(isGreater(quantity(`${units}n`), quantity(`${units}n`))).toBe(false);
      }),
    );
  });
});

import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flyteLaunchPlan, flyteTask, flyteWorkflow, launchPlanInputs } from '../../src/flyte/flyte-json.ts';
import { LaunchPlanSpecSchema } from '../../src/generated/proto/flyteidl/admin/launch_plan_pb.ts';
import { TaskSpecSchema } from '../../src/generated/proto/flyteidl/admin/task_pb.ts';
import { WorkflowSpecSchema } from '../../src/generated/proto/flyteidl/admin/workflow_pb.ts';
import { launchPlan, name, shape, subWorkflows, taskTemplate, workflowTemplate } from './arbitraries.ts';

/** The JSON that Flyte's own tools would write after they have read ours. */
function throughFlyte(schema: DescMessage, json: unknown): unknown {
  return toJson(schema, fromBinary(schema, toBinary(schema, fromJson(schema, json as JsonValue))));
}

const shortDescription = fc.oneof(fc.constant(''), name);
const runs = { numRuns: 100 };

describe('a task, workflow or launch plan of ours', () => {
  it.each([
    ['task', flyteTask, TaskSpecSchema, shape({ template: taskTemplate, shortDescription })],
    [
      'workflow',
      flyteWorkflow,
      WorkflowSpecSchema,
      shape({ template: workflowTemplate, subWorkflows, shortDescription }),
    ],
    ['launch plan', flyteLaunchPlan, LaunchPlanSpecSchema, launchPlan],
  ] as const)(
    'is the same after it was in the form of Flyte: %s',
    (_name, { toOurs, toFlyte }, schema, things) => {
      fc.assert(
        fc.property(things, (ours) => {
          const flyte = throughFlyte(schema, toFlyte(ours as never));
          expect(toOurs(flyte)).toEqual({ ours, leftovers: [] });
        }),
        runs,
      );
    },
  );
});

describe('a spec of Flyte', () => {
  const ours = (task: object) => flyteTask.toOurs({ template: task }).ours.template;
  const workflow = (template: object) => flyteWorkflow.toOurs({ template }).ours.template;

  it.each([
    ['0s', 'PT0S'],
    ['90s', 'PT1M30S'],
    ['0.000000001s', 'PT0.000000001S'],
    ['-1.500s', '-PT1.500S'],
    ['315576000000s', 'PT87660000H'],
    ['soon', 'soon'],
  ])('has the duration %s, which is %s in our form', (flyte, expected) => {
    expect(ours({ metadata: { timeout: flyte } })).toMatchObject({ metadata: { timeout: expected } });
  });

  it('may have the names of its fields in either spelling', () => {
    const snake = { task_type_version: 2, metadata: { discovery_version: '1' } };
    const camel = { taskTypeVersion: 2, metadata: { discoveryVersion: '1' } };
    expect(flyteTask.toOurs({ template: snake })).toEqual(flyteTask.toOurs({ template: camel }));
    expect(ours(snake)).toMatchObject(camel);
  });

  it('may write default values, which mean nothing', () => {
    const written = {
      taskTypeVersion: 0,
      ...{ later: [], latest: false, last: '', least: 0, lost: null, left: {} },
      container: null,
      config: {},
      metadata: { isEager: false, retries: { retries: 0 } },
    };
    expect(flyteTask.toOurs({ template: written })).toEqual(flyteTask.toOurs({ template: { metadata: {} } }));
  });

  it.each([
    [
      'the deprecated configuration of a container',
      { container: { config: [{ key: 'a' }] } },
      'container.config',
    ],
    [
      'an artifact of an input',
      { interface: { inputs: { variables: { x: { artifactTag: { artifactKey: { name: 'a' } } } } } } },
      'interface.inputs.variables.x.artifactTag',
    ],
    ['a field of a later version of Flyte', { later: { level: 3 } }, 'later'],
    ['a number of a later version of Flyte', { later: 3 }, 'later'],
  ])('gives back what our form cannot hold: %s', (_name, template, path) => {
    const flyte = { template };
    const { ours: read, leftovers } = flyteTask.toOurs(flyte);
    expect(leftovers.map((one) => one.path.join('.'))).toEqual([`template.${path}`]);
    expect(flyteTask.toFlyte(read, leftovers)).toMatchObject(flyte);
  });

  it('gives back what stands in lists', () => {
    const reference = { taskNode: { referenceId: { name: 'a' } } };
    const later = { ...reference, later: 'x' };
    const flyte = { template: { nodes: [reference, later] } };
    const { ours: read, leftovers } = flyteWorkflow.toOurs(flyte);
    expect(leftovers).toEqual([{ path: ['template', 'nodes', 1, 'later'], value: 'x' }]);
    expect(flyteWorkflow.toFlyte(read, leftovers)).toMatchObject(flyte);
  });

  it('gives back a description and the part of it that is too long for ours', () => {
    const description = { shortDescription: 'a'.repeat(301), sourceCode: { link: 'https://example.com' } };
    const { ours: read, leftovers } = flyteTask.toOurs({ description });
    expect(read.shortDescription).toBe('a'.repeat(300));
    expect(flyteTask.toFlyte(read, leftovers)).toMatchObject({ description });
  });

  it.each(['shortDescription', 'short_description'])(
    'has nothing left of a description of 300 characters: %s',
    (field) => {
      const text = 'a'.repeat(300);
      expect(flyteTask.toOurs({ description: { [field]: text } })).toMatchObject({
        ours: { shortDescription: text },
        leftovers: [],
      });
    },
  );

  it('gives back all settings of a launch plan, also those that are false', () => {
    const flyte = {
      entityMetadata: { schedule: { cronSchedule: { schedule: '0 0 * * *' } }, later: { level: 3 } },
      labels: { values: { team: 'ml' } },
      interruptible: false,
      maxParallelism: 5,
      envs: { values: [{ key: 'B', value: '1' }, { key: 'A' }] },
      authRole: { assumableIamRole: 'old' },
      defaultInputs: { parameters: { x: { var: {}, artifactQuery: { binding: {} } } } },
    };
    const { ours: read, leftovers } = flyteLaunchPlan.toOurs(flyte);
    expect(leftovers.map(({ path }) => path.join('.')).sort()).toEqual([
      'authRole',
      'defaultInputs.parameters.x.artifactQuery',
      'entityMetadata.later',
    ]);
    expect(read).toMatchObject({
      labels: { team: 'ml' },
      interruptible: false,
      maxParallelism: 5,
      envs: { B: '1', A: '' },
    });
    expect(flyteLaunchPlan.toFlyte(read, leftovers)).toEqual(flyte);
  });

  it.each([
    ['a tier that says nothing', { tier: 'UNDEFINED' }],
    ['a budget of half a millisecond', { spec: { queueingBudget: '0.000500s' } }],
    ['a specification without a budget', { spec: {} }],
    ['a tier and a budget at once', { tier: 'HIGH', spec: { queueingBudget: '1s' } }],
    ['a field of a later version', { tier: 'HIGH', later: 1 }],
    ['a budget and a field of a later version', { spec: { queueingBudget: '1s' }, later: 1 }],
    ['a budget and another field in its specification', { spec: { queueingBudget: '1s', later: 1 } }],
    ['a budget that is no duration of protobuf', { spec: { queueingBudget: '1H2s' } }],
  ])('gives back a quality of service that our form cannot hold: %s', (_name, qualityOfService) => {
    const { ours: read, leftovers } = flyteLaunchPlan.toOurs({ qualityOfService });
    expect(leftovers).toEqual([{ path: ['qualityOfService'], value: qualityOfService }]);
    expect(flyteLaunchPlan.toFlyte(read, leftovers)).toMatchObject({ qualityOfService });
  });

  it.each([
    ['with a key twice', [{ key: 'A', value: '1' }, { key: 'A' }]],
    ['with a key that is no text', [{ key: 7, value: '1' }]],
  ])('keeps variables %s as they are, so that a reader reports them', (_name, values) => {
    expect(flyteLaunchPlan.toOurs({ envs: { values } }).ours).toMatchObject({ envs: values });
  });

  it('keeps a behaviour that Flyte does not have, so that a reader reports it', () => {
    const concurrencyPolicy = { max: 1, behavior: 'SKIP' };
    expect(flyteLaunchPlan.toOurs({ concurrencyPolicy }).ours).toMatchObject({ concurrencyPolicy });
  });

  it('binds the inputs of an array twice, and our form once', () => {
    const inputs = [{ var: 'x', binding: { promise: { nodeId: 'n0', var: 'y' } } }];
    const array = {
      inputs,
      upstreamNodeIds: ['n0'],
      arrayNode: { node: { inputs, upstreamNodeIds: ['n0'] } },
    };
    expect(workflow({ nodes: [array] })).toMatchObject({
      nodes: [{ inputs, upstreamNodeIds: ['n0'], arrayNode: { node: { inputs: [], upstreamNodeIds: [] } } }],
    });
    const other = { ...array, inputs: [] };
    expect(workflow({ nodes: [other] })).toMatchObject({ nodes: [{ arrayNode: { node: { inputs } } }] });
    const later = { ...array, upstreamNodeIds: [] };
    expect(workflow({ nodes: [later] })).toMatchObject({
      nodes: [{ arrayNode: { node: { upstreamNodeIds: ['n0'] } } }],
    });
  });

  it('has no override if it writes empty ones, and no retries of a node if it writes 0', () => {
    const node = { metadata: { retries: {} }, taskNode: { overrides: { resources: {} } } };
    const [read] = (workflow({ nodes: [node] }) as { nodes: object[] }).nodes;
    expect(read).toMatchObject({ metadata: {}, taskNode: {} });
    expect(JSON.stringify(read)).not.toMatch(/overrides|retries/);
  });

  it.each([0.3, 1, 0.000996379, 0.3752683, 0.21289848, 0.101168275])(
    'has the ratio %d in 32 bits, and our form the shortest number for them',
    (ratio) => {
      const minSuccessRatio = Math.fround(ratio);
      expect(workflow({ nodes: [{ arrayNode: { minSuccessRatio } }] })).toMatchObject({
        nodes: [{ arrayNode: { minSuccessRatio: ratio } }],
      });
    },
  );

  it('says that an array has lists already if it does not say it', () => {
    expect(workflow({ nodes: [{ arrayNode: { node: {} } }] })).toMatchObject({
      nodes: [{ arrayNode: { isOriginalSubNodeInterface: false } }],
    });
  });

  it('may have any names, also those of JavaScript', () => {
    const flyte = JSON.parse('{"template": {"type": "a", "config": {"__proto__": "a", "constructor": "b"}}}');
    const { ours: read } = flyteTask.toOurs(flyte);
    expect(JSON.stringify(read)).toContain('"config":{"__proto__":"a","constructor":"b"}');
    expect(JSON.stringify(flyteTask.toFlyte(read))).toContain('"config":{"__proto__":"a","constructor":"b"}');
  });

  it('keeps the kinds of values that our readers refuse, so that they are not lost', () => {
    const offloadedMetadata = { uri: 's3://a', sizeBytes: '1' };
    const nodes = [{ inputs: [{ var: 'x', binding: { offloadedMetadata } }] }];
    expect(workflow({ nodes })).toMatchObject({ nodes });
  });

  it.each([[null], ['text'], [[]], [3]])('may be anything, and %j becomes nothing', (flyte) => {
    expect(flyteTask.toOurs(flyte).ours.template).toBeUndefined();
  });
});

describe('a launch plan with a schedule or notifications', () => {
  const read = (entityMetadata: object) => flyteLaunchPlan.toOurs({ entityMetadata }).ours.entityMetadata;

  it('has the time zone in front of the expression, because Flyte has no field for it', () => {
    const flyte = {
      entityMetadata: { schedule: { cronSchedule: { schedule: 'CRON_TZ=Asia/Tokyo 0 9 * * *' } } },
    };
    const { ours } = flyteLaunchPlan.toOurs(flyte);
    expect(ours.entityMetadata).toEqual({
      schedule: { cron: { expression: '0 9 * * *', timeZone: 'Asia/Tokyo' } },
    });
    expect(flyteLaunchPlan.toFlyte(ours)).toEqual(flyte);
  });

  it('has none if Flyte writes empty ones', () => {
    expect(read({})).toBeUndefined();
    expect(read({ notifications: [] })).toBeUndefined();
    expect(read({ notifications: [], schedule: {} })).toEqual({ schedule: {} });
  });

  it("leaves out of Flyte's form what Flyte does not have", () => {
    const webhook = { phases: ['FAILED'], webhook: { url: 'https://example.com' } };
    const cron = { expression: '@daily' };
    const catchUp = { policy: 'NONE', limit: 1 };
    expect(
      flyteLaunchPlan.toFlyte({ entityMetadata: { notifications: [webhook], schedule: { cron, catchUp } } }),
    ).toEqual({ entityMetadata: { schedule: { cronSchedule: { schedule: '@daily' } } } });
  });
});

describe('a spec of ours', () => {
  it('has no field of Flyte for null, as for what is absent', () => {
    const template = { type: null, container: null, interface: { inputs: null } };
    expect(flyteTask.toFlyte({ template })).toEqual(flyteTask.toFlyte({ template: { interface: {} } }));
  });

  it('has a duration without a sign, unless it is negative', () => {
    const timeoutOf = (timeout: string) =>
      (flyteTask.toFlyte({ template: { metadata: { timeout } } }) as { template: object }).template;
    expect(timeoutOf('PT0S')).toEqual({ metadata: { timeout: '0s' } });
    expect(timeoutOf('-PT1S')).toEqual({ metadata: { timeout: '-1s' } });
  });

  it.each([
    [0, '0s'],
    [1, '0.001s'],
    [-1500, '-1.500s'],
  ])('has a budget of %d milliseconds as %s', (queueingBudgetMilliseconds, queueingBudget) => {
    const qualityOfService = { queueingBudgetMilliseconds };
    expect(flyteLaunchPlan.toFlyte({ qualityOfService })).toEqual({
      qualityOfService: { spec: { queueingBudget } },
    });
  });
});

describe('launchPlanInputs', () => {
  it('tells defaults from required inputs', () => {
    const literal = { scalar: { primitive: { integer: '1' } } };
    const expectedInputs = { a: { var: {}, default: literal }, b: { var: {}, required: true } };
    expect(launchPlanInputs({ workflowId: {}, expectedInputs, fixedInputs: { c: literal } })).toEqual({
      defaultInputLiterals: { a: literal },
      requiredInputs: ['b'],
      fixedInputLiterals: { c: literal },
    });
  });
});

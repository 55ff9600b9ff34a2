import fc from 'fast-check';
import { normalDuration } from '../../src/values/durations.ts';
import type { LiteralType, SchemaColumn } from '../../src/values/literal-types.ts';
import { schemaColumnTypes, simpleTypes } from '../../src/values/literal-types.ts';
import type { Literal, Scalar } from '../../src/values/literals.ts';
import { fractionText, normalTimestamp } from '../../src/values/timestamps.ts';

/**
 * Things in our stored form. A field that is left out never has the default value of protobuf, which means the same.
 */

export const name = fc.stringMatching(/^[a-z_.é𝄞]{1,8}$/u);
const text = fc.oneof(name, fc.constantFrom('{{.input}}', 'ends\nhere'));
/** Anything but an empty text. */
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 3 });
export const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
export const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
/** The messages of protobuf-es cannot have the key `__proto__`; another test has it. */
export const dictionary = <T>(one: fc.Arbitrary<T>, minKeys = 0) =>
  fc.dictionary(name, one, { minKeys, maxKeys: 3 });

/** Without the fields that are undefined. */
export const shape = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc
    .record(model)
    .map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)));

const nanoseconds = fc
  .bigInt({ min: 0n, max: 999_999_999n })
  .map((all) => fractionText(String(all).padStart(9, '0')));
export const duration = fc
  .tuple(fc.constantFrom('', '-'), fc.integer({ min: 0, max: 315_576_000_000 }), nanoseconds)
  .map(([sign, seconds, fraction]) => normalDuration(`${sign}PT${seconds}${fraction}S`) ?? 'PT0S');
export const timeout = fc
  .tuple(fc.integer({ min: 0, max: 10_000_000 }), nanoseconds)
  .map(([seconds, fraction]) => normalDuration(`PT${seconds}${fraction}S`) ?? 'PT0S');
const timestamp = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    nanoseconds,
  )
  .map(([date, fraction]) => normalTimestamp(`${date.toISOString().slice(0, 19)}${fraction}Z`) ?? '');
const base64 = fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** Without negative zero, which JSON does not have, and without `__proto__`. */
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value): unknown => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')));
export const struct = fc.dictionary(name, json, { maxKeys: 2 });
export const fullStruct = fc.dictionary(name, json, { minKeys: 1, maxKeys: 2 });

const schemaType = shape({
  columns: few(shape<SchemaColumn>({ name, type: fc.constantFrom(...schemaColumnTypes) })),
});
const blobType = shape({
  format: fc.constantFrom('', 'csv'),
  dimensionality: fc.constantFrom('SINGLE', 'MULTIPART'),
});

const values = fc.letrec<{ type: LiteralType; literal: Literal; dataset: object; scalar: Scalar }>((tie) => ({
  dataset: shape({
    columns: few(shape({ name, literalType: tie('type') })),
    format: fc.constantFrom('', 'parquet'),
    externalSchemaType: maybe(name),
    externalSchemaBytes: maybe(fc.constant('AAEC')),
  }),
  type: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        shape({ simple: fc.constantFrom(...simpleTypes) }),
        shape({ schema: schemaType }),
        shape({ blob: blobType }),
        shape({ enumType: shape({ values: some(name) }) }),
        shape({ collectionType: tie('type') }),
        shape({ mapValueType: tie('type') }),
        shape({ structuredDatasetType: tie('dataset') }),
        shape({ unionType: shape({ variants: some(tie('type')) }) }),
      ),
      shape({
        metadata: maybe(struct),
        annotation: maybe(shape({ annotations: struct })),
        structure: maybe(shape({ tag: maybe(name), dataclassType: maybe(dictionary(tie('type'), 1)) })),
      }),
    )
    .map(([kind, notes]) => ({ ...kind, ...notes }) as unknown as LiteralType),
  scalar: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    shape({
      primitive: fc.oneof(
        shape({ integer: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
        shape({
          floatValue: fc.oneof(
            // JSON has no negative zero.
            fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
            fc.constantFrom('NaN', 'Infinity', '-Infinity'),
          ),
        }),
        shape({ stringValue: fc.oneof(text, fc.constant('')) }),
        shape({ boolean: fc.boolean() }),
        shape({ datetime: timestamp }),
        shape({ duration }),
      ),
    }),
    shape({ blob: shape({ uri: text, metadata: shape({ type: blobType }) }) }),
    shape({ binary: shape({ value: base64, tag: fc.constantFrom('', 'msgpack') }) }),
    shape({ schema: shape({ uri: text, type: schemaType }) }),
    shape({ noneType: fc.constant({}) }),
    shape({ error: shape({ failedNodeId: fc.constantFrom('', 'n0'), message: text }) }),
    shape({ generic: struct }),
    shape({ structuredDataset: shape({ uri: text, metadata: shape({ type: tie('dataset') }) }) }),
    shape({ union: shape({ value: tie('literal'), type: tie('type') }) }),
  ) as unknown as fc.Arbitrary<Scalar>,
  literal: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        shape({ scalar: tie('scalar') }),
        shape({ collection: shape({ literals: few(tie('literal')) }) }),
        shape({ map: shape({ literals: dictionary(tie('literal')) }) }),
      ),
      shape({ hash: maybe(name), metadata: maybe(dictionary(text, 1)) }),
    )
    .map(([kind, notes]) => ({ ...kind, ...notes }) as unknown as Literal),
}));

export const { type: literalType, literal, scalar } = values;

export const variable = shape({ type: literalType, description: maybe(text) });
export const typedInterface = shape({ inputs: dictionary(variable), outputs: dictionary(variable) });
export const key = shape({ project: name, domain: name, name, version: name });

const resources = (() => {
  const entry = shape({
    name: fc.constantFrom('CPU', 'GPU', 'MEMORY', 'STORAGE', 'EPHEMERAL_STORAGE'),
    value: text,
  });
  return {
    any: shape({ requests: few(entry), limits: few(entry) }),
    full: shape({ requests: some(entry), limits: few(entry) }),
  };
})();

const dataConfig = shape({
  enabled: maybe(fc.constant(true)),
  inputPath: maybe(text),
  outputPath: maybe(text),
  format: maybe(fc.constantFrom('YAML', 'PROTO')),
  ioStrategy: maybe(
    shape({
      downloadMode: maybe(fc.constantFrom('DOWNLOAD_STREAM', 'DO_NOT_DOWNLOAD')),
      uploadMode: maybe(fc.constantFrom('UPLOAD_EAGER', 'DO_NOT_UPLOAD')),
    }),
  ),
});

/** Parts of Flyte that our form takes as they are. */
const securityContext = fc.constant({ runAs: { k8sServiceAccount: 'runner' } });
const extendedResources = fc.constant({ gpuAccelerator: { device: 'nvidia-tesla-t4', unpartitioned: true } });
const qualityOfService = fc.constant({ tier: 'HIGH' });

export const taskTemplate = shape({
  type: name,
  metadata: shape({
    discoverable: maybe(fc.constant(true)),
    discoveryVersion: maybe(text),
    cacheSerializable: maybe(fc.constant(true)),
    cacheIgnoreInputVars: maybe(some(name)),
    runtime: maybe(
      shape({ type: fc.constantFrom('OTHER', 'FLYTE_SDK'), version: text, flavor: maybe(text) }),
    ),
    timeout: maybe(timeout),
    retries: maybe(fc.integer({ min: 1, max: 10 })),
    interruptible: maybe(fc.boolean()),
    deprecatedErrorMessage: maybe(text),
    tags: maybe(dictionary(text, 1)),
    labels: maybe(dictionary(text, 1)),
    annotations: maybe(dictionary(text, 1)),
    podTemplateName: maybe(text),
    generatesDeck: maybe(fc.boolean()),
    isEager: maybe(fc.constant(true)),
  }),
  interface: typedInterface,
  container: maybe(
    shape({
      image: text,
      command: few(text),
      args: few(fc.oneof(text, fc.constant(''))),
      env: few(shape({ key: name, value: fc.oneof(text, fc.constant('')) })),
      resources: resources.any,
      dataConfig: maybe(dataConfig),
      architecture: maybe(fc.constantFrom('AMD64', 'ARM64', 'ARM_V6', 'ARM_V7')),
    }),
  ),
  custom: maybe(fullStruct),
  taskTypeVersion: maybe(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  securityContext: maybe(securityContext),
  extendedResources: maybe(extendedResources),
  config: maybe(dictionary(text, 1)),
}).chain((task) =>
  // A message has one target.
  'container' in task
    ? fc.constant(task)
    : fc
        .oneof(
          fc.constant({}),
          shape({
            sql: shape({ statement: text, dialect: fc.constantFrom('UNDEFINED', 'ANSI', 'HIVE', 'OTHER') }),
          }),
          shape({
            k8sPod: shape({
              metadata: maybe(fc.constant({ labels: { a: 'b' } })),
              podSpec: fullStruct,
              dataConfig: maybe(dataConfig),
              primaryContainerName: maybe(name),
            }),
          }),
        )
        .map((target) => ({ ...task, ...target })),
);

const graph = fc.letrec((tie) => ({
  binding: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    shape({
      promise: shape({
        nodeId: fc.constantFrom('', 'n0'),
        var: name,
        attrPath: maybe(some(fc.oneof(name, fc.nat({ max: 2 ** 31 - 1 })))),
      }),
    }),
    shape({ literal: shape({ scalar }) }),
    shape({ collection: shape({ bindings: few(tie('binding')) }) }),
    shape({ map: shape({ bindings: dictionary(tie('binding')) }) }),
  ),
  operand: fc.oneof(shape({ var: name }), shape({ literal: shape({ scalar }) })),
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    shape({
      comparison: shape({
        operator: fc.constantFrom('EQ', 'NEQ', 'GT', 'GTE', 'LT', 'LTE'),
        leftValue: tie('operand'),
        rightValue: tie('operand'),
      }),
    }),
    shape({
      conjunction: shape({
        operator: fc.constantFrom('AND', 'OR'),
        leftExpression: tie('condition'),
        rightExpression: tie('condition'),
      }),
    }),
  ),
  bindings: few(shape({ var: name, binding: tie('binding') })),
  block: shape({ condition: tie('condition'), thenNode: tie('node') }),
  /** A branch has either an else node or an error. */
  default: fc.oneof(
    { depthSize: 'small' },
    shape({ error: shape({ failedNodeId: fc.constantFrom('', 'n0'), message: text }) }),
    shape({ elseNode: tie('node') }),
  ),
  ifElse: fc
    .tuple(shape({ case: tie('block'), other: few(tie('block')) }), tie('default'))
    .map(([cases, otherwise]) => ({ ...cases, ...(otherwise as object) })),
  gate: fc.oneof(
    shape({ approve: shape({ signalId: name }) }),
    shape({ signal: shape({ signalId: name, type: literalType, outputVariableName: name }) }),
    shape({ sleep: shape({ duration: timeout }) }),
  ),
  array: fc
    .tuple(
      shape({
        // The inputs of an array are bound to the array alone.
        node: (tie('node') as fc.Arbitrary<object>).map((node) => ({
          ...node,
          inputs: [],
          upstreamNodeIds: [],
        })),
        parallelism: maybe(fc.nat({ max: 9 })),
        executionMode: fc.constantFrom('MINIMAL_STATE', 'FULL_STATE'),
        dataMode: fc.constantFrom('SINGLE_INPUT_FILE', 'INDIVIDUAL_INPUT_FILES'),
        boundInputs: few(name),
        isOriginalSubNodeInterface: fc.boolean(),
        runAllSubNodes: maybe(fc.constant(true)),
      }),
      fc.oneof(
        fc.constant({}),
        shape({ minSuccesses: fc.nat({ max: 9 }) }),
        shape({ minSuccessRatio: fc.integer({ min: 1, max: 1_000_000 }).map((parts) => parts / 1_000_000) }),
      ),
    )
    .map(([array, criteria]) => ({ ...array, ...criteria })),
  target: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    shape({
      taskNode: shape({
        referenceId: key,
        overrides: maybe(
          fc.oneof(
            shape({ resources: resources.full }),
            shape({ containerImage: text, extendedResources: maybe(extendedResources) }),
            shape({ podTemplate: fc.constant({ primaryContainerName: 'main' }) }),
          ),
        ),
      }),
    }),
    shape({ workflowNode: fc.oneof(shape({ launchplanRef: key }), shape({ subWorkflowRef: key })) }),
    shape({ gateNode: tie('gate') }),
    shape({ branchNode: shape({ ifElse: tie('ifElse') }) }),
    shape({ arrayNode: tie('array') }),
  ),
  node: fc
    .tuple(
      shape({
        id: name,
        metadata: maybe(
          shape({
            name: maybe(name),
            timeout: maybe(timeout),
            retries: maybe(fc.integer({ min: 1, max: 10 })),
            interruptible: maybe(fc.boolean()),
            cacheable: maybe(fc.boolean()),
            cacheVersion: maybe(fc.oneof(text, fc.constant(''))),
            cacheSerializable: maybe(fc.boolean()),
            config: maybe(dictionary(text, 1)),
          }),
        ),
        inputs: tie('bindings'),
        upstreamNodeIds: few(name),
        outputAliases: maybe(some(shape({ var: name, alias: name }))),
      }),
      tie('target'),
    )
    .map(([node, target]) => ({ ...node, ...(target as object) })),
}));

export const workflowTemplate = shape({
  metadata: shape({
    onFailure: fc.constantFrom('FAIL_IMMEDIATELY', 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE'),
    qualityOfService: maybe(qualityOfService),
    tags: maybe(dictionary(text, 1)),
  }),
  metadataDefaults: maybe(fc.constant({ interruptible: true })),
  interface: typedInterface,
  nodes: few(graph.node),
  outputs: graph.bindings,
  failureNode: maybe(graph.node),
});

export const subWorkflows = few(shape({ id: key, template: workflowTemplate }));

const secret = shape({
  group: name,
  groupVersion: maybe(name),
  key: maybe(name),
  mountRequirement: fc.constantFrom('ANY', 'ENV_VAR', 'FILE'),
  envVar: maybe(name),
});
const client = shape({ clientId: name, clientSecret: maybe(secret) });
const runAs = shape({
  iamRole: maybe(name),
  k8sServiceAccount: maybe(name),
  oauth2Client: maybe(client),
  executionIdentity: maybe(name),
}).filter((one) => Object.keys(one).length > 0);
const token = shape({
  name,
  type: fc.constant('CLIENT_CREDENTIALS'),
  client: maybe(client),
  idpDiscoveryEndpoint: maybe(name),
  tokenEndpoint: maybe(name),
});
const environment = fc
  .tuple(
    shape({ name, type: name, version: maybe(name) }),
    fc.oneof(shape({ extant: fullStruct }), shape({ spec: fullStruct })),
  )
  .map(([one, other]) => ({ ...one, ...other }));

const recipients = shape({ recipients: few(name), template: maybe(name) });
const phases = few(fc.constantFrom('SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'));
const notification = fc.oneof(
  shape({ phases, email: recipients }),
  shape({ phases, pagerDuty: recipients }),
  shape({ phases, slack: recipients }),
);
const times = fc.oneof(
  shape({
    cron: shape({
      expression: fc.constantFrom('0 9 * * *', '@daily', ''),
      timeZone: maybe(fc.constantFrom('Asia/Tokyo', 'UTC')),
      offset: maybe(fc.constant('PT5M')),
    }),
  }),
  shape({
    rate: shape({
      value: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      unit: fc.constantFrom('MINUTE', 'HOUR', 'DAY'),
    }),
  }),
  fc.constant({}),
);
const schedule = fc
  .tuple(times, shape({ kickoffTimeInput: maybe(name) }))
  .map(([one, other]) => ({ ...one, ...other }));
const entityMetadata = fc.oneof(
  shape({ schedule, notifications: maybe(some(notification)) }),
  shape({ notifications: some(notification) }),
);

export const launchPlan = shape({
  labels: maybe(dictionary(fc.oneof(text, fc.constant('')), 1)),
  annotations: maybe(dictionary(text, 1)),
  envs: maybe(dictionary(fc.oneof(text, fc.constant('')), 1)),
  securityContext: maybe(
    shape({ runAs: maybe(runAs), secrets: maybe(some(secret)), tokens: maybe(some(token)) }).filter(
      (one) => Object.keys(one).length > 0,
    ),
  ),
  qualityOfService: maybe(
    fc.oneof(
      shape({ tier: fc.constantFrom('HIGH', 'MEDIUM', 'LOW') }),
      shape({ queueingBudgetMilliseconds: fc.integer({ min: -5000, max: 1e12 }) }),
    ),
  ),
  rawOutputDataConfig: maybe(shape({ outputLocationPrefix: name })),
  maxParallelism: maybe(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  interruptible: maybe(fc.boolean()),
  overwriteCache: maybe(fc.constant(true)),
  executionEnvAssignments: maybe(
    some(shape({ nodeIds: some(name), taskType: name, executionEnv: environment })),
  ),
  clusterAssignment: maybe(shape({ clusterPoolName: name })),
  concurrencyPolicy: maybe(
    fc.oneof(
      shape({
        max: fc.integer({ min: 1, max: 9 }),
        behavior: fc.constantFrom('UNSPECIFIED', 'SKIP'),
      }),
      fc.constant({ max: 0, behavior: 'SKIP' }),
    ),
  ),
  entityMetadata: maybe(entityMetadata),
  workflowId: key,
  expectedInputs: dictionary(
    fc.oneof(
      shape({ var: variable, default: literal }),
      shape({ var: variable, required: fc.constant(true) }),
    ),
  ),
  fixedInputs: dictionary(literal),
});

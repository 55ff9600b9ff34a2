import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../values/json.ts';
import {
  absentMeans,
  always,
  computed,
  type Form,
  given,
  lazily,
  listOf,
  mapOf,
  message,
  named,
  same,
  unless,
} from './form.ts';
import { duration, literalType, scalar, typedInterface } from './literal-forms.ts';
import { extendedResources, identifier, noResources, resources, retries } from './task-forms.ts';

/** Source: Flyte v1.16, `flyteidl/core/workflow.proto`, `literals.proto` and `condition.proto`. */

/** `{stringValue: "a"}` is `a`, and `{intValue: 1}` is `1`. */
const attribute: Form = {
  toOurs: (flyte) => (isRecord(flyte) ? (flyte['stringValue'] ?? flyte['intValue'] ?? flyte) : flyte),
  toFlyte: (ours) => (typeof ours === 'number' ? { intValue: ours } : { stringValue: ours }),
};

const promise = message({ nodeId: always(''), var: always(''), attrPath: unless([], listOf(attribute)) });

const bindingDataMessage = message({
  scalar: given(scalar),
  promise: given(promise),
  collection: given(message({ bindings: always([], listOf(lazily(() => bindingData))) })),
  map: given(message({ bindings: always({}, mapOf(lazily(() => bindingData))) })),
  // The reader refuses it: a value must be in its message.
  offloadedMetadata: given(same),
  union: computed(message({ targetType: given(literalType) })),
});

/**
 * Flyte has scalars where we have literals. A literal that is a list or a map is a list or a map of bindings there.
 */
const bindingData: Form = {
  toOurs(flyte, place) {
    const ours = bindingDataMessage.toOurs(flyte, place);
    if (!isRecord(ours) || !('scalar' in ours)) return ours;
    const { scalar: value, ...rest } = ours;
    return { ...rest, literal: { scalar: value } };
  },
  toFlyte(ours) {
    if (!isRecord(ours)) return ours;
    const { literal, ...rest } = ours;
    return bindingDataMessage.toFlyte({ ...rest, ...bindingOf(literal) });
  },
};

/** The value of a literal as a binding of our form. Its hash and metadata have no place in a binding of Flyte. */
function bindingOf(literal: unknown): Record<string, unknown> {
  if (!isRecord(literal)) return {};
  const { scalar: value, collection, map } = literal;
  const inner = (one: unknown) => ({ literal: one });
  if (isRecord(collection) && Array.isArray(collection['literals']))
    return { collection: { bindings: collection['literals'].map(inner) } };
  if (isRecord(map) && isRecord(map['literals'])) {
    const entries = Object.entries(map['literals']).map(([key, one]) => [key, inner(one)] as const);
    return { map: { bindings: Object.fromEntries(entries) } };
  }
  return { scalar: value };
}

const bindings = listOf(message({ var: always(''), binding: given(bindingData) }));

const operandMessage = message({ primitive: given(same), var: given(same), scalar: given(scalar) });

/** Flyte has primitives and scalars where we have literals. */
const operand: Form = {
  toOurs(flyte, place) {
    const ours = operandMessage.toOurs(flyte, place);
    if (!isRecord(ours)) return ours;
    const { primitive, scalar: value, ...rest } = ours;
    if (primitive !== undefined) {
      const read = scalar.toOurs({ primitive }, place);
      return { ...rest, literal: { scalar: read } };
    }
    return value === undefined ? rest : { ...rest, literal: { scalar: value } };
  },
  toFlyte(ours) {
    const literal = isRecord(ours) ? ours['literal'] : undefined;
    if (!isRecord(literal)) return operandMessage.toFlyte(ours);
    const flyte = scalar.toFlyte(literal['scalar']);
    return isRecord(flyte) && 'primitive' in flyte ? flyte : { scalar: flyte };
  },
};

const booleanExpression: Form = lazily(() => booleanExpressionMessage);

const booleanExpressionMessage = message({
  comparison: given(
    message({ operator: always('EQ'), leftValue: given(operand), rightValue: given(operand) }),
  ),
  conjunction: given(
    message({
      operator: always('AND'),
      leftExpression: given(booleanExpression),
      rightExpression: given(booleanExpression),
    }),
  ),
});

/**
 * Flytekit binds the inputs of an array twice: for the array, and for its inner node. We have them once. If the two are
 * different, they stay, and the compiler refuses the inner ones.
 */
const node: Form = {
  toOurs(flyte, place) {
    const ours = nodeMessage.toOurs(flyte, place);
    return withInnerNode(ours, (inner, outer) => ({
      ...inner,
      ...(isDeepStrictEqual(inner['inputs'], outer['inputs']) && { inputs: [] }),
      ...(isDeepStrictEqual(inner['upstreamNodeIds'], outer['upstreamNodeIds']) && { upstreamNodeIds: [] }),
    }));
  },
  toFlyte: (ours) =>
    nodeMessage.toFlyte(
      withInnerNode(ours, (inner, { inputs, upstreamNodeIds }) => ({ ...inner, inputs, upstreamNodeIds })),
    ),
};

type Fields = Record<string, unknown>;

function withInnerNode(outer: unknown, change: (inner: Fields, outer: Fields) => Fields): unknown {
  if (!isRecord(outer) || !isRecord(outer['arrayNode'])) return outer;
  const { node: inner, ...rest } = outer['arrayNode'];
  return isRecord(inner) ? { ...outer, arrayNode: { ...rest, node: change(inner, outer) } } : outer;
}

const ifBlock = message({ condition: given(booleanExpression), thenNode: given(node) });

const branchNode = message({
  ifElse: given(
    message({
      case: given(ifBlock),
      other: always([], listOf(ifBlock)),
      elseNode: given(node),
      error: given(message({ failedNodeId: always(''), message: always('') })),
    }),
  ),
});

const gateNode = message({
  approve: given(message({ signalId: always('') })),
  signal: given(message({ signalId: always(''), type: given(literalType), outputVariableName: always('') })),
  sleep: given(message({ duration: given(duration) })),
});

/**
 * Protobuf has 32 bits here. Our form is the shortest decimal number that means the same bits: 6 digits hold every
 * number that has fewer, and 9 digits hold every number.
 */
const float: Form = {
  toOurs(flyte) {
    if (typeof flyte !== 'number') return flyte;
    const digits = [6, 7, 8, 9].find(
      (count) => Math.fround(Number(flyte.toPrecision(count))) === Math.fround(flyte),
    );
    return digits === undefined ? flyte : Number(flyte.toPrecision(digits));
  },
  toFlyte: (ours) => ours,
};

const arrayNode = message({
  node: given(node),
  parallelism: given(same),
  minSuccesses: given(same),
  minSuccessRatio: given(float),
  executionMode: always('MINIMAL_STATE'),
  dataMode: always('SINGLE_INPUT_FILE'),
  boundInputs: always([]),
  // Our own API takes true if it is absent.
  isOriginalSubNodeInterface: absentMeans(false),
  runAllSubNodes: unless(false),
});

const taskOverrides = message({
  // Flytekit writes empty lists for resources that a node does not change.
  resources: unless(noResources, resources),
  extendedResources: unless({}, extendedResources),
  containerImage: unless(''),
  podTemplate: given(same),
});

const nodeMessage = message({
  id: always(''),
  metadata: given(
    message({
      name: unless(''),
      timeout: given(duration),
      // Flyte takes 0, which flytekit writes for most nodes, as no setting.
      retries: unless(0, retries),
      interruptible: given(same),
      cacheable: given(same),
      cacheVersion: given(same),
      cacheSerializable: given(same),
      config: unless({}),
    }),
  ),
  inputs: always([], bindings),
  upstreamNodeIds: always([]),
  outputAliases: unless([], listOf(message({ var: always(''), alias: always('') }))),
  taskNode: given(message({ referenceId: given(identifier('TASK')), overrides: unless({}, taskOverrides) })),
  workflowNode: given(
    message({
      launchplanRef: given(identifier('LAUNCH_PLAN')),
      subWorkflowRef: given(identifier('WORKFLOW')),
    }),
  ),
  branchNode: given(branchNode),
  gateNode: given(gateNode),
  arrayNode: given(arrayNode),
});

const template = {
  metadata: always(
    { onFailure: 'FAIL_IMMEDIATELY' },
    message({ onFailure: always('FAIL_IMMEDIATELY'), qualityOfService: unless({}), tags: unless({}) }),
  ),
  metadataDefaults: unless({}, message({ interruptible: unless(false) })),
  interface: given(typedInterface),
  nodes: always([], listOf(node)),
  outputs: always([], bindings),
  failureNode: given(node),
};

export const workflowTemplate = message({ id: computed(identifier('WORKFLOW')), ...template });

const subWorkflowMessage = message({ id: given(identifier('WORKFLOW')), ...template });

/** Our form has the key of a workflow beside its template. */
const subWorkflow: Form = {
  toOurs(flyte, place) {
    const ours = subWorkflowMessage.toOurs(flyte, place);
    if (!isRecord(ours)) return ours;
    const { id, ...rest } = ours;
    return { id, template: rest };
  },
  toFlyte: (ours) =>
    isRecord(ours) && isRecord(ours['template'])
      ? subWorkflowMessage.toFlyte({ id: ours['id'], ...ours['template'] })
      : ours,
};

export const subWorkflows = named('subWorkflows', always([], listOf(subWorkflow)));

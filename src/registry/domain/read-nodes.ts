import { isRecord } from '../../values/json.ts';
import { oneOf, onlyKey } from '../../values/one-of.ts';
import { literalType } from '../../values/read-literal-types.ts';
import { literal } from '../../values/read-literals.ts';
import {
  boolean,
  choice,
  defaulting,
  fields,
  integer,
  json,
  jsonObject,
  list,
  mapOf,
  name,
  nonEmptyText,
  optional,
  type Reader,
  required,
  text,
  wrongKind,
} from '../../values/readers.ts';
import type { EntityKey } from './entity-keys.ts';
import { extendedResources } from './extended-resources.ts';
import { binding } from './read-bindings.ts';
import { resources, retries, sortedNames, timeout } from './read-task-templates.ts';
import {
  type ArrayNode,
  arrayDataModes,
  arrayExecutionModes,
  type BooleanExpression,
  type BranchNode,
  type Condition,
  comparisonOperators,
  conjunctionOperators,
  type GateNode,
  type Node,
  type NodeMetadata,
  type Operand,
  type OutputAlias,
  type TaskNode,
  type TaskOverrides,
  type WorkflowNode,
} from './workflow-templates.ts';

/** How deep nodes may be nested in branches and arrays, and conditions in conditions. */
const MAX_NODE_DEPTH = 16;
const MAX_CONDITION_DEPTH = 64;

/** The largest number of items that an array may run at the same time or need. */
const MAX_ITEMS = 1_000_000;

export const entityKey = fields<EntityKey>({
  project: required(name),
  domain: required(name),
  name: required(name),
  version: required(name),
});

/** The engine makes the ids of inner nodes from the ids of outer ones, with a colon between them. */
const nodeId: Reader<string> = (value, place) => {
  const read = text(value, place);
  if (!read?.includes(':')) return read;
  return place.report('InvalidValue', 'the id of a node must not contain a colon');
};

const metadata = fields<NodeMetadata>({
  name: optional(name),
  timeout: optional(timeout),
  retries: optional(retries),
  interruptible: optional(boolean),
  cacheable: optional(boolean),
  cacheVersion: optional(text),
  cacheSerializable: optional(boolean),
  config: optional(mapOf(text)),
});

const taskNode = fields<TaskNode>({
  referenceId: required(entityKey),
  overrides: optional(
    fields<TaskOverrides>({
      resources: optional(resources),
      extendedResources: optional(extendedResources),
      containerImage: optional(nonEmptyText),
      podTemplate: optional(jsonObject),
    }),
  ),
});

const workflowNode = oneOf<WorkflowNode>({
  launchplanRef: entityKey,
  subWorkflowRef: entityKey,
});

const operand: Reader<Operand> = (value, place) => {
  // Here, null is a value.
  if (isRecord(value) && value['value'] === null && Object.keys(value).length === 1) return { value: null };
  return oneOf<Operand>({ var: name, value: json, literal })(value, place);
};

function conditionWithin(depth: number): Reader<BooleanExpression> {
  return (value, place) => {
    if (depth === 0)
      return place.report(
        'InvalidValue',
        `conditions must be nested at most ${MAX_CONDITION_DEPTH} levels deep`,
      );
    const inner = conditionWithin(depth - 1);
    return oneOf<BooleanExpression>({
      comparison: fields({
        operator: required(choice(...comparisonOperators)),
        leftValue: required(operand),
        rightValue: required(operand),
      }),
      conjunction: fields({
        operator: required(choice(...conjunctionOperators)),
        leftExpression: required(inner),
        rightExpression: required(inner),
      }),
    })(value, place);
  };
}

const branchNode = (inner: Reader<Node>): Reader<BranchNode> => {
  const condition = fields<Condition>({
    condition: optional(conditionWithin(MAX_CONDITION_DEPTH)),
    thenNode: optional(inner),
  });
  return fields<BranchNode>({
    ifElse: required(
      fields<BranchNode['ifElse']>({
        case: optional(condition),
        other: defaulting(list(condition), []),
        elseNode: optional(inner),
        error: optional(fields({ failedNodeId: defaulting(text, ''), message: defaulting(text, '') })),
      }),
    ),
  });
};

const gateNode = oneOf<GateNode>({
  approve: fields({ signalId: required(name) }),
  signal: fields({
    signalId: required(name),
    type: required(literalType),
    outputVariableName: required(name),
  }),
  sleep: fields({ duration: required(timeout) }),
});

const ratio: Reader<number> = (value, place) => {
  if (typeof value === 'number' && value > 0 && value <= 1) return value;
  return place.report('InvalidValue', 'expected a number above 0 and at most 1');
};

const arrayNode = (inner: Reader<Node>): Reader<ArrayNode> =>
  fields<ArrayNode>({
    node: required(inner),
    parallelism: optional(integer(0, MAX_ITEMS)),
    minSuccesses: optional(integer(0, MAX_ITEMS)),
    minSuccessRatio: optional(ratio),
    executionMode: defaulting(choice(...arrayExecutionModes), 'MINIMAL_STATE'),
    dataMode: defaulting(choice(...arrayDataModes), 'SINGLE_INPUT_FILE'),
    boundInputs: defaulting(sortedNames(), []),
    isOriginalSubNodeInterface: defaulting(boolean, true),
    runAllSubNodes: optional(boolean),
  });

type Target = 'taskNode' | 'workflowNode' | 'branchNode' | 'gateNode' | 'arrayNode';

/** Makes the reader of each level when it is needed, because nodes contain nodes. */
function nodeWithin(depth: number): Reader<Node> {
  const inner: Reader<Node> = (value, place) =>
    depth === 1
      ? place.report('InvalidValue', `nodes must be nested at most ${MAX_NODE_DEPTH} levels deep`)
      : nodeWithin(depth - 1)(value, place);
  const targets: Readonly<Record<Target, Reader<unknown>>> = {
    taskNode,
    workflowNode,
    branchNode: branchNode(inner),
    gateNode,
    arrayNode: arrayNode(inner),
  };
  const shape = {
    // The compiler reports an empty id, together with its other problems.
    id: defaulting(nodeId, ''),
    metadata: optional(metadata),
    inputs: defaulting(list(binding, 'var'), []),
    upstreamNodeIds: defaulting(list(name), []),
    outputAliases: optional(list(fields<OutputAlias>({ var: required(name), alias: required(name) }))),
  };
  return (value, place) => {
    if (!isRecord(value)) return wrongKind('an object', value, place);
    const target = onlyKey(value, targets, place);
    if (target === undefined) return undefined;
    return fields({ ...shape, [target]: required(targets[target]) })(value, place) as Node | undefined;
  };
}

export const node: Reader<Node> = nodeWithin(MAX_NODE_DEPTH);

import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { innerNodeId } from '../domain/graph-nodes.ts';
import type { ArrayNode, CompiledBinding } from '../domain/workflow-templates.ts';
import { type NodeFields, NodeInput } from './workflow-node.ts';

export interface ArrayNodeFields {
  readonly node: NodeFields;
  readonly parallelism?: number | null;
  readonly minSuccesses?: number | null;
  readonly minSuccessRatio?: number | null;
  readonly executionMode?: 'MINIMAL_STATE' | 'FULL_STATE' | null;
  readonly dataMode?: 'SINGLE_INPUT_FILE' | 'INDIVIDUAL_INPUT_FILES' | null;
  readonly boundInputs?: readonly string[] | null;
  readonly isOriginalSubNodeInterface?: boolean | null;
  readonly runAllSubNodes?: boolean | null;
}

const ArrayExecutionModeEnum = enumOf(
  'ArrayExecutionMode',
  'How much Flyte keeps about each item. We always keep all.',
  {
    MINIMAL_STATE: 'Only the phase.',
    FULL_STATE: 'All of a node.',
  },
);

const ArrayDataModeEnum = enumOf('ArrayDataMode', 'How Flyte hands inputs to items. It has no effect here.', {
  SINGLE_INPUT_FILE: 'All items get the whole lists.',
  INDIVIDUAL_INPUT_FILES: 'Each item gets its own values.',
});

export const ArrayNodeInput = builder.inputRef<ArrayNodeFields>('ArrayNodeInput').implement({
  description:
    'A node that runs a task, workflow or launch plan for each item of its lists. Each input that is not in `boundInputs` is a list of values for the items; each output is a list with the outputs of the items.',
  fields: (t) => ({
    node: t.field({
      type: NodeInput,
      required: true,
      description: 'The node that runs for each item. It has no bindings of its own.',
    }),
    parallelism: t.int({
      description: 'How many items run at the same time. 0, or left out: as many as the execution allows.',
    }),
    minSuccesses: t.int({
      description: 'How many items must succeed. If left out: all, or as `minSuccessRatio` says.',
    }),
    minSuccessRatio: t.float({ description: 'Which part of the items must succeed: above 0, at most 1.' }),
    executionMode: t.field({
      type: ArrayExecutionModeEnum,
      defaultValue: 'MINIMAL_STATE',
      description: 'How much is kept about each item.',
    }),
    dataMode: t.field({
      type: ArrayDataModeEnum,
      defaultValue: 'SINGLE_INPUT_FILE',
      description: 'How inputs reach the items.',
    }),
    boundInputs: t.stringList({
      defaultValue: [],
      description: 'The inputs that have the same value for all items.',
    }),
    isOriginalSubNodeInterface: t.boolean({
      defaultValue: true,
      description:
        'Whether the interface of the inner node is about one item. False for a task whose inputs and outputs are lists already, as older versions of flytekit register them.',
    }),
    runAllSubNodes: t.boolean({
      description: 'Whether all items run even if so many have failed that the array cannot succeed.',
    }),
  }),
});

/** An array with its id in its graph. */
interface NodeOfItems {
  readonly id: string;
  readonly array: ArrayNode<CompiledBinding>;
}

export const ArrayNodeType = builder.objectRef<NodeOfItems>('ArrayNode').implement({
  description: 'A node that runs another node for each item of its lists.',
  fields: (t) => ({
    nodeId: t.string({
      description:
        'The id of the node of the graph that stands for all items. In an execution, each item has its number in place of the last part.',
      resolve: ({ id, array }) => innerNodeId(id, array.node.id),
    }),
    parallelism: t.int({
      nullable: true,
      description:
        'How many items run at the same time. 0 means no limit; null means the limit of the execution.',
      resolve: ({ array }) => array.parallelism ?? null,
    }),
    minSuccesses: t.int({
      nullable: true,
      description: 'How many items must succeed. Null: all, or as `minSuccessRatio` says.',
      resolve: ({ array }) => array.minSuccesses ?? null,
    }),
    minSuccessRatio: t.float({
      nullable: true,
      description: 'Which part of the items must succeed: above 0, at most 1. Null if not given.',
      resolve: ({ array }) => array.minSuccessRatio ?? null,
    }),
    executionMode: t.field({
      type: ArrayExecutionModeEnum,
      description: 'How much is kept about each item.',
      resolve: ({ array }) => array.executionMode,
    }),
    dataMode: t.field({
      type: ArrayDataModeEnum,
      description: 'How inputs reach the items.',
      resolve: ({ array }) => array.dataMode,
    }),
    boundInputs: t.stringList({
      description: 'The inputs that have the same value for all items, sorted.',
      resolve: ({ array }) => [...array.boundInputs],
    }),
    isOriginalSubNodeInterface: t.boolean({
      description: 'Whether the interface of the inner node is about one item.',
      resolve: ({ array }) => array.isOriginalSubNodeInterface,
    }),
    runAllSubNodes: t.boolean({
      description: 'Whether all items run even if so many have failed that the array cannot succeed.',
      resolve: ({ array }) => array.runAllSubNodes ?? false,
    }),
  }),
});

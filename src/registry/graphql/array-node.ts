import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
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

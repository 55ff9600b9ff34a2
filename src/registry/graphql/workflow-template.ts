import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { formatDuration } from '../../platform/duration.ts';
import { BindingInput, bindingsOf } from './binding.ts';
import { EntityKeyInput } from './entity-key.ts';
import { ResourcesInput, withTimeoutText } from './task.ts';
import { interfaceOf, LiteralTypeInput, TypedInterfaceInput } from './typed-interface.ts';

const NodeMetadataInput = builder.inputType('WorkflowNodeMetadataInput', {
  description: 'Settings of a node. If a field is left out, the setting of the task counts.',
  fields: (t) => ({
    name: t.string({ description: 'A name for people. It need not be unique.' }),
    timeout: t.field({
      type: 'Duration',
      description: 'How long one attempt may take. Zero means no limit.',
    }),
    retries: t.int({
      description: 'How often the node is tried again if the code of the task fails: 0 to 10 times.',
    }),
    interruptible: t.boolean({
      description: 'Whether the node may run on machines that the provider can take away at any time.',
    }),
    cacheable: t.boolean({ description: 'Whether the outputs are cached.' }),
    cacheVersion: t.string({
      description: 'The version of the cached outputs. Another version is another entry of the cache.',
    }),
    cacheSerializable: t.boolean({
      description: 'Whether only one run at a time computes outputs that are not in the cache yet.',
    }),
  }),
});

const TaskOverridesInput = builder.inputType('TaskOverridesInput', {
  description: 'What a node changes about the task that it runs.',
  fields: (t) => ({
    resources: t.field({
      type: ResourcesInput,
      description: 'The resources of the container, in place of those of the task.',
    }),
    containerImage: t.string({ description: 'The image of the container, in place of that of the task.' }),
    extendedResources: t.field({
      type: 'JSON',
      description: "Flyte's ExtendedResources: a GPU model, shared memory.",
    }),
    podTemplate: t.field({ type: 'JSON', description: "Flyte's PodTemplate. It is kept, and not used yet." }),
  }),
});

const TaskNodeInput = builder.inputType('TaskNodeInput', {
  description: 'A node that runs a task.',
  fields: (t) => ({
    referenceId: t.field({
      type: EntityKeyInput,
      required: true,
      description: 'The version of the task to run.',
    }),
    overrides: t.field({ type: TaskOverridesInput, description: 'What this node changes about the task.' }),
  }),
});

const OutputAliasInput = builder.inputType('OutputAliasInput', {
  description: "A second name for one of a node's outputs.",
  fields: (t) => ({
    var: t.string({ required: true, description: 'The name of the output, as the task declares it.' }),
    alias: t.string({ required: true, description: 'The second name, which promises can use as well.' }),
  }),
});

const WorkflowReferenceInput = builder.inputType('WorkflowReferenceInput', {
  description: 'A workflow or launch plan that a node runs.',
  isOneOf: true,
  fields: (t) => ({
    subWorkflowRef: t.field({
      type: EntityKeyInput,
      description: 'A workflow of `subWorkflows`, whose nodes run inside of the same execution.',
    }),
    launchplanRef: t.field({
      type: EntityKeyInput,
      description: 'A registered launch plan, which starts an execution of its own.',
    }),
  }),
});

const OperandInput = builder.inputType('OperandInput', {
  description: 'One side of a comparison.',
  isOneOf: true,
  fields: (t) => ({
    var: t.string({ description: 'The name of an input of the branch.' }),
    value: t.field({ type: 'JSON', description: 'A plain value of the type of the other side.' }),
    literal: t.field({ type: 'JSON', description: "A value as Flyte's Literal. NONE is one, too." }),
  }),
});

const ComparisonOperatorEnum = enumOf('ComparisonOperator', 'How two values are compared.', {
  EQ: 'Equal.',
  NEQ: 'Not equal.',
  GT: 'Greater.',
  GTE: 'Greater or equal.',
  LT: 'Less.',
  LTE: 'Less or equal.',
});

const ConjunctionOperatorEnum = enumOf('ConjunctionOperator', 'How two conditions are combined.', {
  AND: 'Both must hold.',
  OR: 'At least one must hold.',
});

const ComparisonInput = builder.inputType('ComparisonInput', {
  description: 'A comparison of two primitive values of the same type.',
  fields: (t) => ({
    operator: t.field({
      type: ComparisonOperatorEnum,
      required: true,
      description: 'How they are compared.',
    }),
    leftValue: t.field({ type: OperandInput, required: true, description: 'The value on the left.' }),
    rightValue: t.field({ type: OperandInput, required: true, description: 'The value on the right.' }),
  }),
});

interface BooleanExpressionFields {
  readonly comparison?: object | null;
  readonly conjunction?: {
    readonly operator: 'AND' | 'OR';
    readonly leftExpression: BooleanExpressionFields;
    readonly rightExpression: BooleanExpressionFields;
  } | null;
}

const BooleanExpressionInput = builder.inputRef<BooleanExpressionFields>('BooleanExpressionInput').implement({
  description: 'A condition: a comparison, or two conditions combined.',
  isOneOf: true,
  fields: (t) => ({
    comparison: t.field({ type: ComparisonInput, description: 'Two values are compared.' }),
    conjunction: t.field({ type: ConjunctionInput, description: 'Two conditions are combined.' }),
  }),
});

const ConjunctionInput = builder
  .inputRef<NonNullable<BooleanExpressionFields['conjunction']>>('ConjunctionInput')
  .implement({
    description: 'Two conditions, combined by AND or OR.',
    fields: (t) => ({
      operator: t.field({
        type: ConjunctionOperatorEnum,
        required: true,
        description: 'How they are combined.',
      }),
      leftExpression: t.field({
        type: BooleanExpressionInput,
        required: true,
        description: 'The first condition.',
      }),
      rightExpression: t.field({
        type: BooleanExpressionInput,
        required: true,
        description: 'The second condition.',
      }),
    }),
  });

/** The fields of a node. Nodes contain nodes, so their type is written by hand. */
interface NodeFields {
  readonly id: string;
  readonly metadata?: typeof NodeMetadataInput.$inferInput | null;
  readonly inputs?: readonly (typeof BindingInput.$inferInput)[] | null;
  readonly upstreamNodeIds?: readonly string[] | null;
  readonly outputAliases?: readonly (typeof OutputAliasInput.$inferInput)[] | null;
  readonly taskNode?: typeof TaskNodeInput.$inferInput | null;
  readonly workflowNode?: object | null;
  readonly branchNode?: { readonly ifElse: IfElseFields } | null;
  readonly gateNode?: { readonly sleep?: { readonly duration: number } | null } | null;
  readonly arrayNode?: ArrayNodeFields | null;
}

interface IfBlockFields {
  readonly condition?: BooleanExpressionFields | null;
  readonly thenNode?: NodeFields | null;
}

interface IfElseFields {
  readonly case?: IfBlockFields | null;
  readonly other?: readonly IfBlockFields[] | null;
  readonly elseNode?: NodeFields | null;
  readonly error?: typeof BranchErrorInput.$inferInput | null;
}

interface ArrayNodeFields {
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

const BranchErrorInput = builder.inputType('BranchErrorInput', {
  description: 'The error with which a branch fails if no condition holds.',
  fields: (t) => ({
    failedNodeId: t.string({ defaultValue: '', description: 'The id of the node, for people.' }),
    message: t.string({ required: true, description: 'Why it fails, for people.' }),
  }),
});

const IfBlockInput = builder.inputRef<IfBlockFields>('IfBlockInput').implement({
  description: 'One case of a branch.',
  fields: (t) => ({
    condition: t.field({ type: BooleanExpressionInput, description: 'When the case is taken. Required.' }),
    thenNode: t.field({ type: NodeInput, description: 'The node that runs then. Required.' }),
  }),
});

const IfElseInput = builder.inputRef<IfElseFields>('IfElseInput').implement({
  description: 'The cases of a branch, tried in their order, and what happens if none holds.',
  fields: (t) => ({
    case: t.field({ type: IfBlockInput, description: 'The first case. Required.' }),
    other: t.field({ type: [IfBlockInput], defaultValue: [], description: 'Further cases.' }),
    elseNode: t.field({ type: NodeInput, description: 'The node that runs if no condition holds.' }),
    error: t.field({ type: BranchErrorInput, description: 'In place of `elseNode`: how the branch fails.' }),
  }),
});

const BranchNodeInput = builder.inputRef<{ readonly ifElse: IfElseFields }>('BranchNodeInput').implement({
  description:
    'A node that runs one of several nodes. Its inputs are what conditions compare. Its outputs are those that all its nodes have.',
  fields: (t) => ({
    ifElse: t.field({ type: IfElseInput, required: true, description: 'The cases.' }),
  }),
});

const ApproveConditionInput = builder.inputType('ApproveConditionInput', {
  description: 'An approval by a person or a program, which passes the inputs of the node on as its outputs.',
  fields: (t) => ({
    signalId: t.string({
      required: true,
      description: 'The id of the signal whose value is true or false, unique in an execution.',
    }),
  }),
});

const SignalConditionInput = builder.inputType('SignalConditionInput', {
  description: 'A value from a person or a program, which becomes the output of the node.',
  fields: (t) => ({
    signalId: t.string({ required: true, description: 'The id of the signal, unique in an execution.' }),
    type: t.field({ type: LiteralTypeInput, required: true, description: 'The type of the value.' }),
    outputVariableName: t.string({ required: true, description: 'The name of the output.' }),
  }),
});

const SleepConditionInput = builder.inputType('SleepConditionInput', {
  description: 'A time to wait.',
  fields: (t) => ({
    duration: t.field({ type: 'Duration', required: true, description: 'How long the node waits.' }),
  }),
});

const GateNodeInput = builder.inputType('GateNodeInput', {
  description: 'A node that waits.',
  isOneOf: true,
  fields: (t) => ({
    approve: t.field({ type: ApproveConditionInput, description: 'It waits for an approval.' }),
    signal: t.field({ type: SignalConditionInput, description: 'It waits for a value.' }),
    sleep: t.field({ type: SleepConditionInput, description: 'It waits for some time.' }),
  }),
});

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

const ArrayNodeInput = builder.inputRef<ArrayNodeFields>('ArrayNodeInput').implement({
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

const NodeInput = builder.inputRef<NodeFields>('WorkflowNodeInput').implement({
  description:
    'One step of a workflow. It needs exactly one of `taskNode`, `workflowNode`, `branchNode`, `gateNode` and `arrayNode`.',
  fields: (t) => ({
    id: t.string({
      required: true,
      description: 'The name of the step, unique in the workflow. It must not contain a colon.',
    }),
    metadata: t.field({
      type: NodeMetadataInput,
      description: 'Settings of the node. If left out: the settings of the task.',
    }),
    inputs: t.field({
      type: [BindingInput],
      defaultValue: [],
      description: 'The value of each input of the step. Give each input once.',
    }),
    upstreamNodeIds: t.stringList({
      defaultValue: [],
      description:
        'The ids of further nodes that the node waits for. It always waits for the nodes whose outputs it uses.',
    }),
    outputAliases: t.field({
      type: [OutputAliasInput],
      description: 'Second names of the outputs of the node.',
    }),
    taskNode: t.field({ type: TaskNodeInput, description: 'The task that the node runs.' }),
    workflowNode: t.field({
      type: WorkflowReferenceInput,
      description: 'The workflow or launch plan that the node runs.',
    }),
    branchNode: t.field({ type: BranchNodeInput, description: 'The nodes of which the node runs one.' }),
    gateNode: t.field({ type: GateNodeInput, description: 'What the node waits for.' }),
    arrayNode: t.field({
      type: ArrayNodeInput,
      description: 'What the node runs for each item of its lists.',
    }),
  }),
});

const OnFailurePolicyEnum = enumOf('OnFailurePolicy', 'What happens to the other nodes when a node fails.', {
  FAIL_IMMEDIATELY: 'No further node starts, and running ones are cancelled.',
  FAIL_AFTER_EXECUTABLE_NODES_COMPLETE: 'Nodes that do not depend on the failed one still run.',
});

export const WorkflowTemplateInput = builder.inputType('WorkflowTemplateInput', {
  description: 'A workflow as its author writes it, before it is compiled.',
  fields: (t) => ({
    onFailure: t.field({
      type: OnFailurePolicyEnum,
      defaultValue: 'FAIL_IMMEDIATELY',
      description: 'What happens to the other nodes when a node fails.',
    }),
    interface: t.field({
      type: TypedInterfaceInput,
      required: true,
      description: 'The inputs and outputs of the workflow.',
    }),
    nodes: t.field({ type: [NodeInput], required: true, description: 'The steps, in any order.' }),
    outputs: t.field({
      type: [BindingInput],
      defaultValue: [],
      description: 'The value of each output of the interface. Give each output once.',
    }),
    failureNode: t.field({
      type: NodeInput,
      description:
        'A node that runs after the workflow has failed. It can use only the inputs of the workflow; an input of the type ERROR gets the error.',
    }),
    interruptible: t.boolean({
      description: 'Whether nodes that do not say it themselves may run on machines that can be taken away.',
    }),
  }),
});

export const SubWorkflowInput = builder.inputType('SubWorkflowInput', {
  description: 'A workflow that nodes of the registered workflow run.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'The key by which nodes name it.' }),
    template: t.field({
      type: WorkflowTemplateInput,
      required: true,
      description: 'What the workflow does.',
    }),
  }),
});

/** The template in the form that the domain reads. */
export function templateOf(
  input: typeof WorkflowTemplateInput.$inferInput,
  path: readonly string[],
): unknown {
  return {
    metadata: { onFailure: input.onFailure },
    metadataDefaults: input.interruptible == null ? null : { interruptible: input.interruptible },
    interface: interfaceOf(input.interface, [...path, 'interface']),
    nodes: input.nodes.map((node) => nodeOf(node, [...path, 'nodes', node.id])),
    outputs: bindingsOf(input.outputs ?? [], [...path, 'outputs']),
    failureNode: input.failureNode && nodeOf(input.failureNode, [...path, 'failureNode']),
  };
}

function nodeOf(node: NodeFields, path: readonly string[]): unknown {
  const { branchNode, arrayNode, gateNode } = node;
  return {
    ...node,
    metadata: node.metadata && withTimeoutText(node.metadata),
    inputs: bindingsOf(node.inputs ?? [], [...path, 'inputs']),
    upstreamNodeIds: node.upstreamNodeIds ?? [],
    branchNode: branchNode && { ifElse: ifElseOf(branchNode.ifElse, [...path, 'branchNode', 'ifElse']) },
    gateNode: gateNode?.sleep ? { sleep: { duration: formatDuration(gateNode.sleep.duration) } } : gateNode,
    arrayNode: arrayNode && { ...arrayNode, node: nodeOf(arrayNode.node, [...path, 'arrayNode', 'node']) },
  };
}

function ifElseOf({ case: first, other, elseNode, error }: IfElseFields, path: readonly string[]): unknown {
  const blockOf = (block: IfBlockFields, at: readonly string[]) => ({
    condition: block.condition,
    thenNode: block.thenNode && nodeOf(block.thenNode, [...at, 'thenNode']),
  });
  return {
    case: first && blockOf(first, [...path, 'case']),
    other: (other ?? []).map((block, index) => blockOf(block, [...path, 'other', String(index)])),
    elseNode: elseNode && nodeOf(elseNode, [...path, 'elseNode']),
    error,
  };
}

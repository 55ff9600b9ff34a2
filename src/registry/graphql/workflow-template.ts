import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import { ArrayNodeInput } from './array-node.ts';
import { BindingInput, bindingsOf } from './binding.ts';
import { BranchNodeInput, ifElseOf } from './branch-node.ts';
import { EntityKeyInput } from './entity-key.ts';
import { GateNodeInput, gateNodeOf } from './gate-node.ts';
import { withTimeoutText } from './task-template-input.ts';
import { interfaceOf, TypedInterfaceInput } from './typed-interface.ts';
import {
  type NodeFields,
  NodeInput,
  NodeMetadataInput,
  OutputAliasInput,
  TaskNodeInput,
  WorkflowReferenceInput,
} from './workflow-node.ts';

NodeInput.implement({
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

export const OnFailurePolicyEnum = enumOf(
  'OnFailurePolicy',
  'What happens to the other nodes when a node fails.',
  {
    FAIL_IMMEDIATELY: 'No further node starts, and running ones are cancelled.',
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE: 'Nodes that do not depend on the failed one still run.',
  },
);

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
    tags: t.field({
      type: [KeyValueInput],
      description: 'Labels for people and tools, which change nothing.',
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
    metadata: {
      onFailure: input.onFailure,
      tags: input.tags?.length ? mapOf(input.tags, [...path, 'tags']) : null,
    },
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
    metadata: node.metadata && {
      ...withTimeoutText(node.metadata),
      config: node.metadata.config?.length
        ? mapOf(node.metadata.config, [...path, 'metadata', 'config'])
        : null,
    },
    inputs: bindingsOf(node.inputs ?? [], [...path, 'inputs']),
    upstreamNodeIds: node.upstreamNodeIds ?? [],
    branchNode: branchNode && {
      ifElse: ifElseOf(branchNode.ifElse, [...path, 'branchNode', 'ifElse'], nodeOf),
    },
    gateNode: gateNode && gateNodeOf(gateNode),
    arrayNode: arrayNode && { ...arrayNode, node: nodeOf(arrayNode.node, [...path, 'arrayNode', 'node']) },
  };
}

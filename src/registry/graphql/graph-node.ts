import { builder } from '../../graphql/builder.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { parseDuration } from '../../platform/duration.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { type GraphNode, kindOfNode } from '../domain/graph-nodes.ts';
import type { NodeMetadata, OutputAlias, WorkflowNode } from '../domain/workflow-templates.ts';
import { ArrayNodeType } from './array-node.ts';
import { BindingType } from './binding.ts';
import { BranchNodeType } from './branch-node.ts';
import { EntityKeyType } from './entity-key.ts';
import { GateNodeType } from './gate-node.ts';
import { NodeKindEnum } from './node-kind.ts';
import { TaskNodeType } from './task-node.ts';

const NodeMetadataType = builder.objectRef<NodeMetadata>('WorkflowNodeMetadata').implement({
  description: 'Settings of a node. If a field is null, the setting of the task counts.',
  fields: (t) => ({
    name: t.exposeString('name', {
      nullable: true,
      description: 'A name for people; null if the node has none.',
    }),
    timeout: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long one attempt may take. Zero means no limit.',
      resolve: ({ timeout }) => (timeout === undefined ? null : parseDuration(timeout)),
    }),
    retries: t.exposeInt('retries', {
      nullable: true,
      description: 'How often the node is tried again if the code of the task fails.',
    }),
    interruptible: t.exposeBoolean('interruptible', {
      nullable: true,
      description: 'Whether the node may run on machines that the provider can take away at any time.',
    }),
    cacheable: t.exposeBoolean('cacheable', {
      nullable: true,
      description: 'Whether the outputs are cached.',
    }),
    cacheVersion: t.exposeString('cacheVersion', {
      nullable: true,
      description: 'The version of the cached outputs.',
    }),
    cacheSerializable: t.exposeBoolean('cacheSerializable', {
      nullable: true,
      description: 'Whether only one run at a time computes outputs that are not in the cache yet.',
    }),
    config: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Settings for the plugin, as texts.',
      resolve: ({ config = {} }) => entriesOf(config),
    }),
  }),
});

const OutputAliasType = builder.objectRef<OutputAlias>('OutputAlias').implement({
  description: "A second name for one of a node's outputs.",
  fields: (t) => ({
    var: t.exposeString('var', { description: 'The name of the output, as the task declares it.' }),
    alias: t.exposeString('alias', { description: 'The second name, which promises can use as well.' }),
  }),
});

const keyIn = (name: 'subWorkflowRef' | 'launchplanRef') => (node: WorkflowNode) =>
  (node as { readonly [Name in typeof name]?: EntityKey })[name] ?? null;

/** launch-plan.ts adds the field that leads to the launch plan. */
export const WorkflowReferenceType = builder.objectRef<WorkflowNode>('WorkflowReference').implement({
  description: 'The workflow or launch plan that a node runs. Exactly one of the keys is not null.',
  fields: (t) => ({
    subWorkflowRef: t.field({
      type: EntityKeyType,
      nullable: true,
      description:
        'The key of a workflow of `Workflow.subWorkflows`, whose nodes run inside of the same execution.',
      resolve: keyIn('subWorkflowRef'),
    }),
    launchplanRef: t.field({
      type: EntityKeyType,
      nullable: true,
      description:
        'The key of a registered launch plan, which starts an execution of its own. It is shown even if the launch plan is hidden from you.',
      resolve: keyIn('launchplanRef'),
    }),
  }),
});

export const GraphNodeType = builder.objectRef<GraphNode>('WorkflowNode').implement({
  description:
    'A node of a workflow. Exactly one of `taskNode`, `workflowNode`, `branchNode`, `gateNode` and `arrayNode` is not null: the one of its `kind`.',
  fields: (t) => ({
    id: t.exposeString('id', {
      description:
        'The id, unique in its workflow. For a node inside of a branch or an array, it begins with the id of that node: `choose:large`. `NodeExecution.nodeId` has the same form.',
    }),
    parentId: t.exposeString('parentId', {
      nullable: true,
      description: 'The id of the branch or array that contains the node; null for an outer node.',
    }),
    kind: t.field({
      type: NodeKindEnum,
      description: 'What the node does.',
      resolve: ({ node }) => kindOfNode(node),
    }),
    isFailureNode: t.exposeBoolean('isFailureNode', {
      description: 'Whether the node, or the node that contains it, runs after the workflow has failed.',
    }),
    metadata: t.field({
      type: NodeMetadataType,
      nullable: true,
      description: 'Settings of the node; null if it has none of its own.',
      resolve: ({ node }) => node.metadata ?? null,
    }),
    inputs: t.field({
      type: [BindingType],
      extensions: { listSize: 5 },
      description: 'The value of each input that is bound, sorted by name.',
      resolve: ({ node }) => [...node.inputs],
    }),
    upstreamNodeIds: t.stringList({
      description:
        'The ids of all nodes that it waits for, sorted. Empty for the first nodes, for the failure node, and for nodes inside of others, which begin with them.',
      resolve: ({ upstreamNodeIds }) => [...upstreamNodeIds],
    }),
    downstreamNodeIds: t.stringList({
      description: 'The ids of all nodes that wait for it, sorted.',
      resolve: ({ downstreamNodeIds }) => [...downstreamNodeIds],
    }),
    outputAliases: t.field({
      type: [OutputAliasType],
      extensions: { listSize: 2 },
      description: 'Second names of its outputs.',
      resolve: ({ node }) => [...(node.outputAliases ?? [])],
    }),
    taskNode: t.field({
      type: TaskNodeType,
      nullable: true,
      description: 'Set if the node runs a task.',
      resolve: ({ node }) => ('taskNode' in node ? node.taskNode : null),
    }),
    workflowNode: t.field({
      type: WorkflowReferenceType,
      nullable: true,
      description: 'Set if the node runs a workflow or a launch plan.',
      resolve: ({ node }) => ('workflowNode' in node ? node.workflowNode : null),
    }),
    branchNode: t.field({
      type: BranchNodeType,
      nullable: true,
      description: 'Set if the node is a branch.',
      resolve: ({ id, node }) => ('branchNode' in node ? { id, branch: node.branchNode } : null),
    }),
    gateNode: t.field({
      type: GateNodeType,
      nullable: true,
      description: 'Set if the node waits.',
      resolve: ({ node }) => ('gateNode' in node ? node.gateNode : null),
    }),
    arrayNode: t.field({
      type: ArrayNodeType,
      nullable: true,
      description: 'Set if the node runs another one for each item of its lists.',
      resolve: ({ id, node }) => ('arrayNode' in node ? { id, array: node.arrayNode } : null),
    }),
  }),
});

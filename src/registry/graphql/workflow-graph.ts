import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { type GraphEdge, graphEdgesOf, graphNodesOf } from '../domain/graph-nodes.ts';
import type { CompiledSubWorkflow, CompiledWorkflow } from '../domain/workflow-templates.ts';
import { BindingType } from './binding.ts';
import { EntityKeyType } from './entity-key.ts';
import { GraphNodeType } from './graph-node.ts';
import { TypedInterfaceType } from './typed-interface.ts';
import { OnFailurePolicyEnum } from './workflow-template.ts';

const DependencyKindEnum = enumOf<GraphEdge['kind']>(
  'NodeDependencyKind',
  'Why a node waits for another one.',
  {
    DATA: 'The node, or a node inside of it, uses an output of the other one.',
    ORDER: 'The author wants this order.',
  },
);

const DependencyType = builder.objectRef<GraphEdge>('NodeDependency').implement({
  description: 'One node waits for another one.',
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The id of the node that comes first.' }),
    to: t.exposeString('to', { description: 'The id of the node that waits.' }),
    kind: t.expose('kind', { type: DependencyKindEnum, description: 'Why it waits.' }),
  }),
});

/** What a graph may have at most by default. One row holds it all, but each node becomes an object of the answer. */
const LARGE_GRAPH = 1000;

export const WorkflowGraphType = builder.objectRef<CompiledWorkflow>('WorkflowGraph').implement({
  description:
    'A compiled workflow as a graph. Its nodes are in one list, also those inside of branches and arrays. The nodes of workflows that nodes run have graphs of their own: `Workflow.subWorkflows`.',
  fields: (t) => ({
    interface: t.field({
      type: TypedInterfaceType,
      description: 'The inputs and outputs of the workflow.',
      resolve: ({ template }) => template.interface,
    }),
    nodes: t.field({
      type: [GraphNodeType],
      extensions: { listSize: LARGE_GRAPH },
      description:
        'The nodes in the order of the template. The nodes inside of a node come after it; the failure node comes last.',
      resolve: (workflow) => graphNodesOf(workflow),
    }),
    edges: t.field({
      type: [DependencyType],
      extensions: { listSize: LARGE_GRAPH },
      description:
        'Which outer nodes wait for which, sorted by the node that waits. Nodes without an edge to them start first.',
      resolve: (workflow) => graphEdgesOf(workflow),
    }),
    outputs: t.field({
      type: [BindingType],
      extensions: { listSize: 10 },
      description: 'Where the value of each output of the workflow comes from, sorted by name.',
      resolve: ({ template }) => [...template.outputs],
    }),
    failureNodeId: t.string({
      nullable: true,
      description: 'The id of the node that runs after the workflow has failed; null if there is none.',
      resolve: ({ template }) => template.failureNode?.id ?? null,
    }),
    onFailure: t.field({
      type: OnFailurePolicyEnum,
      description: 'What happens to the other nodes when a node fails.',
      resolve: ({ template }) => template.metadata.onFailure,
    }),
    interruptible: t.boolean({
      nullable: true,
      description:
        'Whether nodes that do not say it themselves may run on machines that can be taken away. Null if not given.',
      resolve: ({ template }) => template.metadataDefaults?.interruptible ?? null,
    }),
    qualityOfService: t.field({
      type: 'JSON',
      nullable: true,
      description:
        "Flyte's QualityOfService: how long executions may wait in their queue. Null if not given.",
      resolve: ({ template }) => template.metadata.qualityOfService ?? null,
    }),
    tags: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Labels for people and tools.',
      resolve: ({ template }) => entriesOf(template.metadata.tags ?? {}),
    }),
  }),
});

export const SubWorkflowType = builder.objectRef<CompiledSubWorkflow>('SubWorkflow').implement({
  description:
    'A workflow that nodes of the registered workflow run. It is a part of that version, so everybody who may read the version may read it.',
  fields: (t) => ({
    key: t.field({
      type: EntityKeyType,
      description: 'The key by which nodes name it.',
      resolve: ({ id }) => id,
    }),
    graph: t.field({
      type: WorkflowGraphType,
      description: 'Its nodes and how they are connected.',
      resolve: (workflow) => workflow,
    }),
  }),
});

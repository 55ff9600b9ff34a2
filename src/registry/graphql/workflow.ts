import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { recordOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import { createWorkflow } from '../commands/create-workflow.ts';
import { countWorkflows, listWorkflows, type VersionBy, versionOrder } from '../store.ts';
import { EntityKeyInput, VersionFilterInput, WorkflowByInput } from './entity-key.ts';
import { withTimeoutText } from './task.ts';
import { interfaceOf, TypedInterfaceInput, TypedInterfaceType } from './typed-interface.ts';

export const WorkflowType = builder.prismaObject('Workflow', {
  description:
    'One registered version of a workflow: nodes that run tasks, and the way of values from node to node. It never changes.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `workflow` finds the version by it.',
    }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project in which it is registered; null if the project is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (workflow, { loaders }) => loaders.project.load({ id: workflow.projectId }),
        projectTarget,
      ),
    }),
    domain: t.exposeString('domain', {
      description: 'The domain in which it is registered, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name that all versions of the workflow share.' }),
    version: t.exposeString('version', {
      description: 'The version, unique among the versions with this name.',
    }),
    interface: t.field({
      type: TypedInterfaceType,
      description: 'The inputs and outputs of the workflow.',
      resolve: (workflow) => workflow.interface as unknown as TypedInterface,
    }),
    closure: t.field({
      type: 'JSON',
      description: 'The compiled workflow with all its nodes, bindings, connections and tasks.',
      resolve: (workflow) => workflow.closure,
    }),
    digest: t.exposeString('digest', {
      description:
        'The SHA-256 of the closure in its canonical form: two workflows are equal if their digests are equal.',
    }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'What the workflow does, in at most 300 characters. It may be empty.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

const WorkflowConnection = connectionType(WorkflowType);

builder.queryFields((t) => ({
  workflow: t.field({
    type: WorkflowType,
    nullable: true,
    description: 'One version of a workflow. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(WorkflowByInput, 'version of a workflow'),
    resolve: (_root, { by }, { loaders }) => loaders.workflow.load(by as VersionBy),
  }),
  workflows: t.connection(
    {
      type: WorkflowType,
      description: 'Versions of workflows that you may read, newest first.',
      args: {
        filter: t.arg({ type: VersionFilterInput, required: true, description: 'Which versions to list.' }),
      },
      resolve: (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          versionOrder,
          (page) => listWorkflows(caller, filter, page),
          () => countWorkflows(caller, filter),
        );
      },
    },
    WorkflowConnection,
  ),
}));

const PromiseInput = builder.inputType('PromiseInput', {
  description:
    'A value that is known when the workflow runs: an output of another node, or an input of the workflow.',
  fields: (t) => ({
    nodeId: t.string({
      required: true,
      description: 'The id of the node that has the output. Empty for an input of the workflow.',
    }),
    var: t.string({ required: true, description: 'The name of the output or input.' }),
    attrPath: t.field({
      type: ['JSON'],
      description: 'The path to a part of the value: numbers select from lists, names from maps and structs.',
    }),
  }),
});

interface BindingDataFields {
  readonly promise?: object | null;
  readonly value?: Json | null;
  readonly literal?: Json | null;
  readonly collection?: readonly BindingDataFields[] | null;
  readonly map?: readonly { readonly key: string; readonly binding: BindingDataFields }[] | null;
}

const BindingDataInput = builder.inputRef<BindingDataFields>('BindingDataInput').implement({
  description: 'Where a value comes from.',
  isOneOf: true,
  fields: (t) => ({
    promise: t.field({
      type: PromiseInput,
      description: "Another node's output, or an input of the workflow.",
    }),
    value: t.field({ type: 'JSON', description: 'A plain value of the type of the input or output.' }),
    literal: t.field({ type: 'JSON', description: "A value as Flyte's Literal." }),
    collection: t.field({ type: [BindingDataInput], description: 'A list. Each item has its own binding.' }),
    map: t.field({ type: [BindingEntryInput], description: 'A map. Each value has its own binding.' }),
  }),
});

const BindingEntryInput = builder
  .inputRef<{ key: string; binding: BindingDataFields }>('BindingEntryInput')
  .implement({
    description: 'One entry of a map whose value has a binding.',
    fields: (t) => ({
      key: t.string({ required: true, description: 'The key, unique in its map.' }),
      binding: t.field({
        type: BindingDataInput,
        required: true,
        description: 'Where the value under the key comes from.',
      }),
    }),
  });

const BindingInput = builder.inputType('BindingInput', {
  description: 'The value of one input of a node, or of one output of the workflow.',
  fields: (t) => ({
    var: t.string({ required: true, description: 'The name of the input or output.' }),
    binding: t.field({ type: BindingDataInput, required: true, description: 'Where its value comes from.' }),
  }),
});

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
  }),
});

const OutputAliasInput = builder.inputType('OutputAliasInput', {
  description: "A second name for one of a node's outputs.",
  fields: (t) => ({
    var: t.string({ required: true, description: 'The name of the output, as the task declares it.' }),
    alias: t.string({ required: true, description: 'The second name, which promises can use as well.' }),
  }),
});

const NodeInput = builder.inputType('WorkflowNodeInput', {
  description: 'One step of a workflow.',
  fields: (t) => ({
    id: t.string({ required: true, description: 'The name of the step, unique in the workflow.' }),
    metadata: t.field({
      type: NodeMetadataInput,
      description: 'Settings of the node. If left out: the settings of the task.',
    }),
    inputs: t.field({
      type: [BindingInput],
      defaultValue: [],
      description: 'The value of each input of the task. Give each input once.',
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
    taskNode: t.field({ type: TaskNodeInput, required: true, description: 'The task that the node runs.' }),
  }),
});

const OnFailurePolicyEnum = enumOf('OnFailurePolicy', 'What happens to the other nodes when a node fails.', {
  FAIL_IMMEDIATELY: 'No further node starts, and running ones are cancelled.',
  FAIL_AFTER_EXECUTABLE_NODES_COMPLETE: 'Nodes that do not depend on the failed one still run.',
});

const WorkflowTemplateInput = builder.inputType('WorkflowTemplateInput', {
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
  }),
});

const CreateWorkflowInput = builder.inputType('CreateWorkflowInput', {
  description: 'A version of a workflow to register.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'The key of the new version.' }),
    template: t.field({
      type: WorkflowTemplateInput,
      required: true,
      description: 'What the workflow does.',
    }),
    shortDescription: t.string({
      defaultValue: '',
      description: 'What the workflow does, in at most 300 characters.',
    }),
  }),
});

const CreateWorkflowPayload = payload('CreateWorkflowPayload', 'workflow', WorkflowType);

builder.mutationField('createWorkflow', (t) =>
  t.field({
    type: CreateWorkflowPayload,
    nullable: true,
    description:
      'Compiles and registers a version of a workflow. Requires EDIT on the project, and on the workflow if it exists. If the workflow has errors, the answer lists all of them, each with its code and its node.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: inputOf(CreateWorkflowInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.key.project, context.loaders);
      const workflow = await createWorkflow(callerOf(context), project, {
        key: input.key,
        template: templateOf(input.template),
        shortDescription: input.shortDescription ?? '',
      });
      return { workflow };
    },
  }),
);

const templatePath = ['input', 'template'];

/** The template in the form that the domain reads. */
function templateOf(input: typeof WorkflowTemplateInput.$inferInput): unknown {
  return {
    metadata: { onFailure: input.onFailure },
    interface: interfaceOf(input.interface, [...templatePath, 'interface']),
    nodes: input.nodes.map((node) => ({
      ...node,
      metadata: node.metadata && withTimeoutText(node.metadata),
      inputs: bindingsOf(node.inputs ?? [], [...templatePath, 'nodes', node.id, 'inputs']),
      upstreamNodeIds: node.upstreamNodeIds ?? [],
    })),
    outputs: bindingsOf(input.outputs ?? [], [...templatePath, 'outputs']),
  };
}

function bindingsOf(bindings: readonly (typeof BindingInput.$inferInput)[], path: readonly string[]) {
  return bindings.map((one) => ({
    var: one.var,
    binding: bindingDataOf(one.binding, [...path, one.var]),
  }));
}

function bindingDataOf(data: BindingDataFields, path: readonly string[]): unknown {
  if (data.collection)
    return {
      collection: {
        bindings: data.collection.map((item) => bindingDataOf(item, path)),
      },
    };
  if (data.map) {
    const entries = recordOf(
      data.map,
      path,
      ({ key }) => key,
      (entry) => bindingDataOf(entry.binding, path),
    );
    return { map: { bindings: entries } };
  }
  return data;
}

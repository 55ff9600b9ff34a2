import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { recordOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier, getProject } from '../../projects/loaders.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import { createWorkflow } from '../commands/create-workflow.ts';
import { countWorkflows, listWorkflows, type VersionBy, versionOrder } from '../store.ts';
import {
  EntityKeyInput,
  innerListArguments,
  VersionFilterInput,
  versionsIn,
  WorkflowByInput,
} from './entity-key.ts';
import { withTimeoutText } from './task.ts';
import { interfaceOf, TypedInterfaceInput, TypedInterfaceType } from './typed-interface.ts';

export const WorkflowType = builder.prismaObject('Workflow', {
  description:
    'One registered version of a workflow: nodes that run tasks, and how values go from one to the next. It never changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project that it is registered in; null when it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (workflow, { loaders }) => loaders.project.load({ id: workflow.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      description: "The project's identifier, shown even when the project itself is hidden from you.",
      resolve: ({ projectId }, _args, { loaders }) => getIdentifier(projectId, loaders),
    }),
    domain: t.exposeString('domain', {
      description: 'The domain that it is registered in, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name that all versions of the workflow share.' }),
    version: t.exposeString('version', { description: 'The version, unique under the name.' }),
    interface: t.field({
      type: TypedInterfaceType,
      description: 'What the workflow takes and what it puts out.',
      resolve: (workflow) => workflow.interface as unknown as TypedInterface,
    }),
    closure: t.field({
      type: 'JSON',
      description:
        'The compiled workflow with everything that it needs: nodes, bindings, connections and tasks.',
      resolve: (workflow) => workflow.closure,
    }),
    digest: t.exposeString('digest', {
      description: 'SHA-256 of the closure in its canonical form: equal digests mean equal workflows.',
    }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'What the workflow does, in at most 300 characters; empty when nobody said.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

const WorkflowConnection = connectionType(WorkflowType);

builder.objectField(ProjectType, 'workflows', (t) =>
  t.connection(
    {
      type: WorkflowType,
      nullable: true,
      description:
        'Versions of workflows in the project that you may read, newest first; null when your scopes do not include `workflow:read`.',
      args: innerListArguments,
      resolve: versionsIn('workflow:read', projectTarget, ({ loaders }) => loaders.workflowsOfProject),
    },
    WorkflowConnection,
  ),
);

builder.queryFields((t) => ({
  workflow: t.field({
    type: WorkflowType,
    nullable: true,
    description: 'One version of a workflow; null with NOT_FOUND when it is absent or hidden.',
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
  description: "A value that is there later: an output of another node, or one of the workflow's inputs.",
  fields: (t) => ({
    nodeId: t.string({
      required: true,
      description: "The node whose output it is; empty for one of the workflow's inputs.",
    }),
    var: t.string({ required: true, description: 'The name of the output or input.' }),
    attrPath: t.field({
      type: ['JSON'],
      description: 'The way to a part of the value: numbers lead into lists, names into maps and structs.',
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
    value: t.field({ type: 'JSON', description: 'A plain value, read as the type that it is bound to.' }),
    literal: t.field({ type: 'JSON', description: "A value as Flyte's Literal." }),
    collection: t.field({ type: [BindingDataInput], description: 'A list, with the origin of each item.' }),
    map: t.field({ type: [BindingEntryInput], description: 'A map, with the origin of each value.' }),
  }),
});

const BindingEntryInput = builder
  .inputRef<{ key: string; binding: BindingDataFields }>('BindingEntryInput')
  .implement({
    description: 'One entry of a map, with the origin of its value.',
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
  description: 'An input of a node, or an output of the workflow, with the origin of its value.',
  fields: (t) => ({
    var: t.string({ required: true, description: 'The name of the input or output.' }),
    binding: t.field({ type: BindingDataInput, required: true, description: 'Where its value comes from.' }),
  }),
});

const NodeMetadataInput = builder.inputType('WorkflowNodeMetadataInput', {
  description: 'How a node runs. What is left out is as its task says.',
  fields: (t) => ({
    name: t.string({ description: 'A name that people read; need not be unique.' }),
    timeout: t.field({
      type: 'Duration',
      description: 'How long one attempt may take. Zero: as long as it likes.',
    }),
    retries: t.int({
      description: "How many further attempts it gets after the task's code failed: 0 to 10.",
    }),
    interruptible: t.boolean({
      description: 'Whether it may run on machines that can be taken back at any time.',
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
    alias: t.string({ required: true, description: 'The name that promises may use as well.' }),
  }),
});

const NodeInput = builder.inputType('WorkflowNodeInput', {
  description: 'One step of a workflow.',
  fields: (t) => ({
    id: t.string({ required: true, description: 'The name of the step, unique in the workflow.' }),
    metadata: t.field({
      type: NodeMetadataInput,
      description: 'How the node runs. Left out: as its task says.',
    }),
    inputs: t.field({ type: [BindingInput], defaultValue: [], description: 'Each input of the task, once.' }),
    upstreamNodeIds: t.stringList({
      defaultValue: [],
      description: 'Nodes that it waits for, besides those whose outputs it takes.',
    }),
    outputAliases: t.field({ type: [OutputAliasInput], description: 'Second names of its outputs.' }),
    taskNode: t.field({ type: TaskNodeInput, required: true, description: 'What the node runs.' }),
  }),
});

const OnFailurePolicyEnum = enumOf(
  'OnFailurePolicy',
  'What becomes of the other nodes when one has failed.',
  {
    FAIL_IMMEDIATELY: 'No further node starts, and running ones are cancelled.',
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE: 'Nodes that do not depend on the failed one still run.',
  },
);

const WorkflowTemplateInput = builder.inputType('WorkflowTemplateInput', {
  description: 'A workflow as its author writes it, before it is compiled.',
  fields: (t) => ({
    onFailure: t.field({
      type: OnFailurePolicyEnum,
      defaultValue: 'FAIL_IMMEDIATELY',
      description: 'What becomes of the other nodes when one has failed.',
    }),
    interface: t.field({
      type: TypedInterfaceInput,
      required: true,
      description: 'What the workflow takes and what it puts out.',
    }),
    nodes: t.field({ type: [NodeInput], required: true, description: 'The steps, in any order.' }),
    outputs: t.field({
      type: [BindingInput],
      defaultValue: [],
      description: 'Each output of the interface, once.',
    }),
  }),
});

const CreateWorkflowInput = builder.inputType('CreateWorkflowInput', {
  description: 'A version of a workflow to register.',
  fields: (t) => ({
    key: t.field({ type: EntityKeyInput, required: true, description: 'What the version will be called.' }),
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
      "Compiles and registers a version of a workflow. Requires EDIT on the project, and on the workflow where it exists. All of the compiler's problems come together, each with its code and the node that it is about.",
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

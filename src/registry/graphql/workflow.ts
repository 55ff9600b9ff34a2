import { builder, type Json } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { recordOf } from '../../graphql/labels.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import { createWorkflow } from '../commands/create-workflow.ts';
import { listWorkflows, type VersionBy, versionOrder } from '../store.ts';
import { EntityKeyInput, VersionFilterInput, WorkflowByInput } from './entity-key.ts';
import { interfaceOf, TypedInterfaceInput, TypedInterfaceType } from './typed-interface.ts';

export const WorkflowType = builder.prismaObject('Workflow', {
  description: 'One registered version of a workflow, compiled. Immutable.',
  fields: (t) => ({
    id: t.exposeID('id'),
    project: t.field({
      type: ProjectType,
      nullable: true,
      resolve: guardedEdge(
        'project:read',
        (workflow, { loaders }) => loaders.project.load({ id: workflow.projectId }),
        projectTarget,
      ),
    }),
    domain: t.exposeString('domain'),
    name: t.exposeString('name'),
    version: t.exposeString('version'),
    interface: t.field({
      type: TypedInterfaceType,
      resolve: (workflow) => workflow.interface as unknown as TypedInterface,
    }),
    closure: t.field({
      type: 'JSON',
      description: 'The compiled closure: nodes, bindings, connections, and the tasks it uses.',
      resolve: (workflow) => workflow.closure,
    }),
    digest: t.exposeString('digest', {
      description: 'SHA-256 of the canonical closure.',
    }),
    shortDescription: t.exposeString('shortDescription'),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (workflow) => workflow.createdAt,
    }),
  }),
});

builder.queryFields((t) => ({
  workflow: t.field({
    type: WorkflowType,
    nullable: true,
    description: 'One version; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: WorkflowByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.workflow.load(by as VersionBy),
  }),
  workflows: t.connection(
    {
      type: WorkflowType,
      description: 'Versions of workflows, newest first.',
      args: { filter: t.arg({ type: VersionFilterInput, required: true }) },
      resolve: (_root, { filter, ...args }, context) =>
        pagedList(args, versionOrder, (page) => listWorkflows(callerOf(context), filter, page)),
    },
    { name: 'WorkflowConnection' },
    { name: 'WorkflowEdge' },
  ),
}));

const PromiseInput = builder.inputType('PromiseInput', {
  description: "An output of another node; with an empty node id, one of the workflow's inputs.",
  fields: (t) => ({
    nodeId: t.string({ required: true }),
    var: t.string({ required: true }),
    attrPath: t.field({
      type: ['JSON'],
      description: 'Into lists by number, into maps and structs by name.',
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
    promise: t.field({ type: PromiseInput }),
    value: t.field({
      type: 'JSON',
      description: 'A plain value, read as the type that it is bound to.',
    }),
    literal: t.field({ type: 'JSON', description: "Flyte's Literal." }),
    collection: t.field({
      type: [BindingDataInput],
      description: 'A list of these.',
    }),
    map: t.field({
      type: [BindingEntryInput],
      description: 'A map of these.',
    }),
  }),
});

const BindingEntryInput = builder
  .inputRef<{ key: string; binding: BindingDataFields }>('BindingEntryInput')
  .implement({
    fields: (t) => ({
      key: t.string({ required: true }),
      binding: t.field({ type: BindingDataInput, required: true }),
    }),
  });

const BindingInput = builder.inputType('BindingInput', {
  fields: (t) => ({
    var: t.string({ required: true }),
    binding: t.field({ type: BindingDataInput, required: true }),
  }),
});

const NodeMetadataInput = builder.inputType('NodeMetadataInput', {
  fields: (t) => ({
    name: t.string(),
    timeout: t.string({
      description: "Of one attempt, ISO 8601; goes before the task's.",
    }),
    retries: t.int({ description: "0 to 10; goes before the task's." }),
    interruptible: t.boolean(),
  }),
});

const TaskNodeInput = builder.inputType('TaskNodeInput', {
  fields: (t) => ({
    referenceId: t.field({ type: EntityKeyInput, required: true }),
  }),
});

const OutputAliasInput = builder.inputType('OutputAliasInput', {
  fields: (t) => ({
    var: t.string({ required: true }),
    alias: t.string({ required: true }),
  }),
});

const NodeInput = builder.inputType('NodeInput', {
  fields: (t) => ({
    id: t.string({ required: true, description: 'Unique in the workflow.' }),
    metadata: t.field({ type: NodeMetadataInput }),
    inputs: t.field({
      type: [BindingInput],
      description: 'Each input of the task, once.',
    }),
    upstreamNodeIds: t.stringList({
      description: 'Nodes to wait for beyond those whose outputs are bound.',
    }),
    outputAliases: t.field({ type: [OutputAliasInput] }),
    taskNode: t.field({ type: TaskNodeInput, required: true }),
  }),
});

const OnFailurePolicy = builder.enumType('OnFailurePolicy', {
  values: {
    FAIL_IMMEDIATELY: { description: 'What is running is cancelled.' },
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE: {
      description: 'What does not depend on the failed node still runs.',
    },
  } as const,
});

const WorkflowTemplateInput = builder.inputType('WorkflowTemplateInput', {
  fields: (t) => ({
    onFailure: t.field({
      type: OnFailurePolicy,
      defaultValue: 'FAIL_IMMEDIATELY',
    }),
    interface: t.field({ type: TypedInterfaceInput, required: true }),
    nodes: t.field({ type: [NodeInput], required: true }),
    outputs: t.field({
      type: [BindingInput],
      description: 'Each output of the interface, once.',
    }),
  }),
});

const CreateWorkflowInput = builder.inputType('CreateWorkflowInput', {
  fields: (t) => ({
    id: t.field({ type: EntityKeyInput, required: true }),
    template: t.field({ type: WorkflowTemplateInput, required: true }),
    shortDescription: t.string({ description: 'At most 300 characters.' }),
  }),
});

const CreateWorkflowPayload = builder
  .objectRef<{ workflow: typeof WorkflowType.$inferType }>('CreateWorkflowPayload')
  .implement({
    fields: (t) => ({
      workflow: t.field({
        type: WorkflowType,
        resolve: ({ workflow }) => workflow,
      }),
    }),
  });

builder.mutationField('createWorkflow', (t) =>
  t.field({
    type: CreateWorkflowPayload,
    nullable: true,
    description:
      "Compiles and registers a version of a workflow. All of the compiler's errors come together, each with its code and the node it is about.",
    errors: {
      types: [InvalidArgumentError, AlreadyExistsError, NotFoundError],
    },
    args: { input: t.arg({ type: CreateWorkflowInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.id.project, context.loaders);
      const workflow = await createWorkflow(callerOf(context), project, {
        id: input.id,
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

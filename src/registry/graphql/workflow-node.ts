import { builder } from '../../graphql/builder.ts';
import { KeyValueInput } from '../../graphql/key-values.ts';
import type { ArrayNodeFields } from './array-node.ts';
import type { BindingInput } from './binding.ts';
import type { IfElseFields } from './branch-node.ts';
import { EntityKeyInput } from './entity-key.ts';
import type { GateNodeFields } from './gate-node.ts';
import { ExtendedResourcesInput, ResourcesInput } from './task-template-input.ts';

export const NodeMetadataInput = builder.inputType('WorkflowNodeMetadataInput', {
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
    config: t.field({ type: [KeyValueInput], description: 'Settings for the plugin, as texts.' }),
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
      type: ExtendedResourcesInput,
      description: 'Which GPUs, and how much shared memory, in place of those of the task.',
    }),
    podTemplate: t.field({ type: 'JSON', description: "Flyte's PodTemplate. It is kept, and not used yet." }),
  }),
});

export const TaskNodeInput = builder.inputType('TaskNodeInput', {
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

export const OutputAliasInput = builder.inputType('OutputAliasInput', {
  description: "A second name for one of a node's outputs.",
  fields: (t) => ({
    var: t.string({ required: true, description: 'The name of the output, as the task declares it.' }),
    alias: t.string({ required: true, description: 'The second name, which promises can use as well.' }),
  }),
});

export const WorkflowReferenceInput = builder.inputType('WorkflowReferenceInput', {
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

/** The fields of a node. Nodes contain nodes, so their type is written by hand. */
export interface NodeFields {
  readonly id: string;
  readonly metadata?: typeof NodeMetadataInput.$inferInput | null;
  readonly inputs?: readonly (typeof BindingInput.$inferInput)[] | null;
  readonly upstreamNodeIds?: readonly string[] | null;
  readonly outputAliases?: readonly (typeof OutputAliasInput.$inferInput)[] | null;
  readonly taskNode?: typeof TaskNodeInput.$inferInput | null;
  readonly workflowNode?: object | null;
  readonly branchNode?: { readonly ifElse: IfElseFields } | null;
  readonly gateNode?: GateNodeFields | null;
  readonly arrayNode?: ArrayNodeFields | null;
}

/** It is described in workflow-template.ts: branches and arrays need it, and it needs them. */
export const NodeInput = builder.inputRef<NodeFields>('WorkflowNodeInput');

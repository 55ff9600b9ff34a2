import type { JsonValue } from '../../values/json.ts';
import type { LiteralType, TypedInterface } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';
import type { EntityKey } from './entity-keys.ts';
import type { CompiledTask } from './task-templates.ts';

/**
 * Workflows in the form of their authors, and in the form after the compiler.
 * Source: Flyte v1.16, `flyteidl/core/workflow.proto` and `compiler.proto`.
 */

/** Represents the inputs of the workflow. A promise from this node, or from an empty node id, names an input. */
export const START_NODE_ID = 'start-node';
/** Represents the outputs of the workflow, which are bound like the inputs of a node. */
export const END_NODE_ID = 'end-node';

/** A key of a map or struct, or an index of a list. */
export type Attribute = string | number;

export interface OutputReference {
  readonly nodeId: string;
  readonly var: string;
  readonly attrPath?: readonly Attribute[];
}

export type BindingData =
  | { readonly promise: OutputReference }
  /** A plain value of the type of the variable. */
  | { readonly value: JsonValue }
  | { readonly literal: Literal }
  | { readonly collection: { readonly bindings: readonly BindingData[] } }
  | {
      readonly map: {
        readonly bindings: Readonly<Record<string, BindingData>>;
      };
    };

export interface Binding {
  readonly var: string;
  readonly binding: BindingData;
}

export interface NodeMetadata {
  readonly name?: string;
  /** ISO 8601. */
  readonly timeout?: string;
  readonly retries?: number;
  readonly interruptible?: boolean;
}

/** A second name for one of the node's outputs. */
export interface OutputAlias {
  readonly var: string;
  readonly alias: string;
}

export interface Node<Input = Binding> {
  readonly id: string;
  readonly metadata?: NodeMetadata;
  readonly inputs: readonly Input[];
  /** Further nodes to wait for. A node always waits for the nodes whose outputs it uses. */
  readonly upstreamNodeIds: readonly string[];
  readonly outputAliases?: readonly OutputAlias[];
  readonly taskNode: { readonly referenceId: EntityKey };
}

export const failurePolicies = ['FAIL_IMMEDIATELY', 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE'] as const;

export interface WorkflowTemplate<Input = Binding> {
  readonly metadata: { readonly onFailure: (typeof failurePolicies)[number] };
  readonly metadataDefaults?: { readonly interruptible?: boolean };
  readonly interface: TypedInterface;
  readonly nodes: readonly Node<Input>[];
  readonly outputs: readonly Input[];
}

/**
 * A binding after the checks. Plain values have become literals in the form of their type. Promises use the names of
 * nodes and outputs themselves, not an alias or an empty id. If the target is a union and the types alone decide,
 * `union` names the chosen variant.
 */
export type CompiledBindingData = {
  readonly union?: { readonly targetType: LiteralType };
} & (
  | { readonly promise: OutputReference }
  | { readonly literal: Literal }
  | {
      readonly collection: {
        readonly bindings: readonly CompiledBindingData[];
      };
    }
  | {
      readonly map: {
        readonly bindings: Readonly<Record<string, CompiledBindingData>>;
      };
    }
);

export interface CompiledBinding {
  readonly var: string;
  readonly binding: CompiledBindingData;
}

/** Which nodes wait for which, by node id, including start-node and end-node. Each list is sorted. */
export interface Connections {
  readonly upstream: Readonly<Record<string, readonly string[]>>;
  readonly downstream: Readonly<Record<string, readonly string[]>>;
}

export interface CompiledWorkflow {
  readonly template: WorkflowTemplate<CompiledBinding>;
  readonly connections: Connections;
}

export interface CompiledWorkflowClosure {
  readonly primary: CompiledWorkflow;
  /** All tasks that nodes refer to, each once, sorted by key. */
  readonly tasks: readonly CompiledTask[];
}

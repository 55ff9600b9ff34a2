import type { JsonValue } from '../../values/json.ts';
import type { LiteralType, TypedInterface } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';
import type { EntityKey } from './entity-keys.ts';
import type { CompiledTask } from './task-templates.ts';

/**
 * Workflows as their authors write them, and as the compiler leaves them.
 * Source: Flyte v1.16, `flyteidl/core/workflow.proto` and `compiler.proto`.
 */

/** Stands for the workflow's inputs: a promise from it, or from an empty node id, names one of them. */
export const START_NODE_ID = 'start-node';
/** Stands for the workflow's outputs: they are bound like its inputs. */
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
  /** Plain JSON, read as the type that it is bound to. */
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
  /** Nodes to wait for beyond those whose outputs are bound. */
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
 * A binding that was checked: plain values have become literals in the form of their type, promises name nodes and
 * outputs by their own names (not an alias, not an empty id), and `union` names the variant that was chosen where
 * the target is a union and types alone decide.
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

/** Which nodes wait for which, by node id, start-node and end-node among them; each list is sorted. */
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
  /** Every task that a node refers to, once, sorted by its key. */
  readonly tasks: readonly CompiledTask[];
}

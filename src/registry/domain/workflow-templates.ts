import type { JsonObject, JsonValue } from '../../values/json.ts';
import type { LiteralType, TypedInterface, Variable } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';
import type { EntityKey } from './entity-keys.ts';
import type { ExtendedResources } from './extended-resources.ts';
import type { ExpectedInput } from './launch-plan.ts';
import type { CompiledTask, Resources } from './task-templates.ts';

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
  readonly cacheable?: boolean;
  readonly cacheVersion?: string;
  readonly cacheSerializable?: boolean;
  readonly config?: Readonly<Record<string, string>>;
}

/** A second name for one of the node's outputs. */
export interface OutputAlias {
  readonly var: string;
  readonly alias: string;
}

interface NodeFields<Input> {
  readonly id: string;
  readonly metadata?: NodeMetadata;
  readonly inputs: readonly Input[];
  /** Further nodes to wait for. A node always waits for the nodes whose outputs it uses. */
  readonly upstreamNodeIds: readonly string[];
  readonly outputAliases?: readonly OutputAlias[];
}

/** One step of a workflow. Its target, which is exactly one of five kinds, says what it does. */
export type Node<Input = Binding> = NodeFields<Input> & NodeTarget<Input>;

export type NodeTarget<Input = Binding> =
  | { readonly taskNode: TaskNode }
  | { readonly workflowNode: WorkflowNode }
  | { readonly branchNode: BranchNode<Input> }
  | { readonly gateNode: GateNode }
  | { readonly arrayNode: ArrayNode<Input> };

export interface TaskNode {
  readonly referenceId: EntityKey;
  readonly overrides?: TaskOverrides;
}

/** What one node changes about the task that it runs. */
export interface TaskOverrides {
  readonly resources?: Resources;
  readonly extendedResources?: ExtendedResources;
  readonly containerImage?: string;
  readonly podTemplate?: JsonObject;
}

/** A launch plan, which starts an execution of its own, or a workflow whose nodes run inside of this execution. */
export type WorkflowNode = { readonly launchplanRef: EntityKey } | { readonly subWorkflowRef: EntityKey };

/** A choice between nodes. The first condition that holds decides. */
export interface BranchNode<Input = Binding> {
  readonly ifElse: {
    readonly case?: Condition<Input>;
    readonly other: readonly Condition<Input>[];
    /** The node that runs if no condition holds. If it is absent, the branch fails with `error`. */
    readonly elseNode?: Node<Input>;
    readonly error?: BranchError;
  };
}

export interface BranchError {
  readonly failedNodeId: string;
  readonly message: string;
}

/** Source: Flyte's IfBlock. The compiler refuses a block without a condition or without a node. */
export interface Condition<Input = Binding> {
  readonly condition?: BooleanExpression;
  readonly thenNode?: Node<Input>;
}

export const comparisonOperators = ['EQ', 'NEQ', 'GT', 'GTE', 'LT', 'LTE'] as const;
export const conjunctionOperators = ['AND', 'OR'] as const;

export type BooleanExpression =
  | {
      readonly comparison: {
        readonly operator: (typeof comparisonOperators)[number];
        readonly leftValue: Operand;
        readonly rightValue: Operand;
      };
    }
  | {
      readonly conjunction: {
        readonly operator: (typeof conjunctionOperators)[number];
        readonly leftExpression: BooleanExpression;
        readonly rightExpression: BooleanExpression;
      };
    };

/** An input of the branch, or a value. The compiler turns a plain value into a literal. */
export type Operand =
  | { readonly var: string }
  | { readonly value: JsonValue }
  | { readonly literal: Literal };

/** A node that waits for a person or a program, or for some time. */
export type GateNode =
  | { readonly approve: { readonly signalId: string } }
  | {
      readonly signal: {
        readonly signalId: string;
        readonly type: LiteralType;
        readonly outputVariableName: string;
      };
    }
  /** ISO 8601. */
  | { readonly sleep: { readonly duration: string } };

export const arrayExecutionModes = ['MINIMAL_STATE', 'FULL_STATE'] as const;
export const arrayDataModes = ['SINGLE_INPUT_FILE', 'INDIVIDUAL_INPUT_FILES'] as const;

/** Runs one node for each item of its lists. */
export interface ArrayNode<Input = Binding> {
  readonly node: Node<Input>;
  /** How many items run at the same time. Undefined means the limit of the execution; 0 means no limit. */
  readonly parallelism?: number;
  /** How many items must succeed. Undefined means all, unless there is a ratio. */
  readonly minSuccesses?: number;
  /** Which part of the items must succeed: more than 0, at most 1. */
  readonly minSuccessRatio?: number;
  readonly executionMode: (typeof arrayExecutionModes)[number];
  readonly dataMode: (typeof arrayDataModes)[number];
  /** The inputs that have the same value for all items. The other inputs are lists with one value for each item. */
  readonly boundInputs: readonly string[];
  /**
   * Whether the interface of the inner node is about one item. If false, its author has turned inputs and outputs into
   * lists already.
   */
  readonly isOriginalSubNodeInterface: boolean;
  /** Whether all items run even if too many have failed already. */
  readonly runAllSubNodes?: boolean;
}

export const failurePolicies = ['FAIL_IMMEDIATELY', 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE'] as const;

export interface WorkflowTemplate<Input = Binding> {
  readonly metadata: {
    readonly onFailure: (typeof failurePolicies)[number];
    readonly qualityOfService?: JsonObject;
    readonly tags?: Readonly<Record<string, string>>;
  };
  readonly metadataDefaults?: { readonly interruptible?: boolean };
  readonly interface: TypedInterface;
  readonly nodes: readonly Node<Input>[];
  readonly outputs: readonly Input[];
  /** Runs after the workflow has failed, with inputs of the workflow. */
  readonly failureNode?: Node<Input>;
}

/** A workflow that nodes of another workflow may run, in the same registration. */
export interface SubWorkflow<Input = Binding> {
  readonly id: EntityKey;
  readonly template: WorkflowTemplate<Input>;
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

export interface CompiledSubWorkflow extends CompiledWorkflow {
  readonly id: EntityKey;
}

/** A launch plan as a node sees it. */
export interface CompiledLaunchPlan {
  readonly id: EntityKey;
  readonly expectedInputs: Readonly<Record<string, ExpectedInput>>;
  readonly expectedOutputs: Readonly<Record<string, Variable>>;
}

/** A workflow with all that its nodes refer to: each thing once, sorted by key. */
export interface CompiledWorkflowClosure {
  readonly primary: CompiledWorkflow;
  /** Absent if there are none, so that the digests of workflows without them stay the same. */
  readonly subWorkflows?: readonly CompiledSubWorkflow[];
  readonly tasks: readonly CompiledTask[];
  /** Absent if there are none. */
  readonly launchPlans?: readonly CompiledLaunchPlan[];
}

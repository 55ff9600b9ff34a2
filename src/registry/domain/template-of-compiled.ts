import { mapRecord } from '../../values/json.ts';
import type { EntityKey } from './entity-keys.ts';
import type {
  Binding,
  BindingData,
  BranchNode,
  CompiledBinding,
  CompiledBindingData,
  Condition,
  Node,
  NodeTarget,
  WorkflowTemplate,
} from './workflow-templates.ts';

/** The key that stands in place of a key. */
export type Rekey = (key: EntityKey) => EntityKey;

/**
 * A compiled workflow as its author could have written it. The compiler makes the same workflow of it again: the variants
 * of unions, which it computes, are left out, and all else stays as it is.
 *
 * @param rekey  gives the new key of each thing that a node refers to.
 */
export function templateOfCompiled(
  { nodes, outputs, failureNode, ...rest }: WorkflowTemplate<CompiledBinding>,
  rekey: Rekey,
): WorkflowTemplate {
  return {
    ...rest,
    nodes: nodes.map((node) => nodeOf(node, rekey)),
    outputs: outputs.map(bindingOf),
    ...(failureNode && { failureNode: nodeOf(failureNode, rekey) }),
  };
}

function nodeOf(node: Node<CompiledBinding>, rekey: Rekey): Node {
  return { ...node, ...targetOf(node, rekey), inputs: node.inputs.map(bindingOf) };
}

function targetOf(node: NodeTarget<CompiledBinding>, rekey: Rekey): NodeTarget {
  if ('taskNode' in node)
    return { taskNode: { ...node.taskNode, referenceId: rekey(node.taskNode.referenceId) } };
  if ('workflowNode' in node) {
    const { workflowNode } = node;
    return {
      workflowNode:
        'launchplanRef' in workflowNode
          ? { launchplanRef: rekey(workflowNode.launchplanRef) }
          : { subWorkflowRef: rekey(workflowNode.subWorkflowRef) },
    };
  }
  if ('branchNode' in node) return { branchNode: branchOf(node.branchNode, rekey) };
  if ('arrayNode' in node)
    return { arrayNode: { ...node.arrayNode, node: nodeOf(node.arrayNode.node, rekey) } };
  return { gateNode: node.gateNode };
}

function branchOf({ ifElse }: BranchNode<CompiledBinding>, rekey: Rekey): BranchNode {
  const { case: first, other, elseNode, ...rest } = ifElse;
  const blockOf = ({ thenNode, ...block }: Condition<CompiledBinding>): Condition => ({
    ...block,
    ...(thenNode && { thenNode: nodeOf(thenNode, rekey) }),
  });
  return {
    ifElse: {
      ...rest,
      ...(first && { case: blockOf(first) }),
      other: other.map(blockOf),
      ...(elseNode && { elseNode: nodeOf(elseNode, rekey) }),
    },
  };
}

const bindingOf = ({ var: name, binding }: CompiledBinding): Binding => ({
  var: name,
  binding: bindingDataOf(binding),
});

function bindingDataOf(data: CompiledBindingData): BindingData {
  if ('promise' in data) return { promise: data.promise };
  if ('literal' in data) return { literal: data.literal };
  if ('collection' in data) return { collection: { bindings: data.collection.bindings.map(bindingDataOf) } };
  return { map: { bindings: mapRecord(data.map.bindings, bindingDataOf) } };
}

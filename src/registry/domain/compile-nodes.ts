import type { Variable } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import { compileBindings, type Outputs } from './compile-bindings.ts';
import { compileCondition } from './compile-conditions.ts';
import { interfaceOfNode, type NodeInterface, type References } from './node-interfaces.ts';
import type { BranchNode, CompiledBinding, Condition, Node, NodeTarget } from './workflow-templates.ts';

/** What a node sees of the rest: the things that it may refer to, and the outputs of the nodes of its workflow. */
export interface Scope {
  readonly references: References;
  readonly outputs: Outputs;
}

/**
 * Checks a node with its interface and returns its compiled form, with sorted bindings and upstream ids. Nodes inside of
 * a branch may use the outputs of all nodes that are before the branch.
 *
 * @param typed  the interface of the node; undefined if its problem is reported already.
 * Problems: `NodeReferenceNotFound`, `DuplicateId`, `ValueRequired`, `NoConditionFound`, `BranchNodeHasNoCondition`,
 * `BranchNodeIdNotFound`, `BranchNodeHasNoDefault`, and those of `compileBindings`, `compileCondition` and
 * `interfaceOfNode`. Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/node.go` and `branch.go`.
 */
export function compileNode(
  node: Node,
  typed: NodeInterface | undefined,
  scope: Scope,
  place: Place,
): Node<CompiledBinding> {
  for (const [index, id] of node.upstreamNodeIds.entries()) {
    if (scope.outputs.has(id)) continue;
    place.at('upstreamNodeIds', index).report('NodeReferenceNotFound', `the workflow has no node ${id}`);
  }
  const inferred = 'branchNode' in node || 'gateNode' in node;
  // A binding that gave no variable has a problem, which is reported.
  const bindings = inferred
    ? node.inputs.filter((one) => typed && Object.hasOwn(typed.inputs, one.var))
    : node.inputs;
  return {
    ...node,
    ...compileTarget(node, typed?.inputs ?? {}, scope, place),
    inputs: typed
      ? compileBindings(bindings, typed.inputs, scope.outputs, place.at('inputs'), typed.defaulted)
      : [],
    upstreamNodeIds: [...new Set(node.upstreamNodeIds)].sort(),
  };
}

function compileTarget(
  node: Node,
  inputs: Readonly<Record<string, Variable>>,
  scope: Scope,
  place: Place,
): NodeTarget<CompiledBinding> {
  if ('branchNode' in node)
    return { branchNode: compileBranch(node.branchNode, inputs, scope, place.at('branchNode', 'ifElse')) };
  if ('arrayNode' in node) {
    const { node: inner } = node.arrayNode;
    const at = place.at('arrayNode', 'node');
    if (inner.id === '') at.at('id').report('ValueRequired', 'a node needs an id');
    if (inner.inputs.length > 0)
      at.at('inputs').report(
        'InvalidValue',
        'the inputs of an array are bound to the array, not to its inner node',
      );
    // The array gives its items to the inner node, which has no bindings of its own.
    return { arrayNode: { ...node.arrayNode, node: { ...inner, inputs: [] } as Node<CompiledBinding> } };
  }
  if ('taskNode' in node) return { taskNode: node.taskNode };
  return 'workflowNode' in node ? { workflowNode: node.workflowNode } : { gateNode: node.gateNode };
}

function compileBranch(
  { ifElse }: BranchNode,
  inputs: Readonly<Record<string, Variable>>,
  scope: Scope,
  place: Place,
): BranchNode<CompiledBinding> {
  const ids = new Set<string>();
  const compileInner = (node: Node, at: Place): Node<CompiledBinding> => {
    if (node.id === '') at.at('id').report('ValueRequired', 'a node needs an id');
    else if (ids.has(node.id))
      at.at('id').report('DuplicateId', `more than one node of the branch has the id ${node.id}`);
    ids.add(node.id);
    // Its problems were reported with the interface of the branch.
    const typed = interfaceOfNode(node, scope.references, scope.outputs, at.trial());
    return compileNode(node, typed, scope, at);
  };
  const compileBlock = (block: Condition, at: Place): Condition<CompiledBinding> => {
    const { condition, thenNode } = block;
    if (condition === undefined)
      at.at('condition').report('BranchNodeHasNoCondition', 'this case needs a condition');
    if (thenNode === undefined) at.at('thenNode').report('BranchNodeIdNotFound', 'this case needs a node');
    const compiled = condition && compileCondition(condition, inputs, at.at('condition'));
    return {
      condition: compiled,
      ...(thenNode && { thenNode: compileInner(thenNode, at.at('thenNode')) }),
    };
  };
  if (ifElse.case === undefined)
    place.at('case').report('NoConditionFound', 'a branch needs at least one case');
  if (ifElse.elseNode === undefined && ifElse.error === undefined)
    place.report(
      'BranchNodeHasNoDefault',
      'a branch needs a node or an error for the case that no condition holds',
    );
  if (ifElse.elseNode !== undefined && ifElse.error !== undefined)
    place.report('InvalidValue', 'give a node or an error for the case that no condition holds, not both');
  return {
    ifElse: {
      ...(ifElse.case && { case: compileBlock(ifElse.case, place.at('case')) }),
      other: ifElse.other.map((block, index) => compileBlock(block, place.at('other', index))),
      ...(ifElse.elseNode && { elseNode: compileInner(ifElse.elseNode, place.at('elseNode')) }),
      error: ifElse.error,
    },
  };
}

import { Place } from '../../values/problem-list.ts';
import { type EntityKey, entityKeyText } from './entity-keys.ts';
import { sortedByText } from './sorted-by-text.ts';
import type { BranchNode, Node, SubWorkflow, WorkflowTemplate } from './workflow-templates.ts';

/** The nodes of a branch, in their order, each with its place. */
export function nodesOfBranch<Input>(
  { ifElse }: BranchNode<Input>,
  place: Place,
): { readonly node: Node<Input>; readonly at: Place }[] {
  const at = place.at('ifElse');
  const blocks = [
    { node: ifElse.case?.thenNode, at: at.at('case', 'thenNode') },
    ...ifElse.other.map((block, index) => ({ node: block.thenNode, at: at.at('other', index, 'thenNode') })),
    { node: ifElse.elseNode, at: at.at('elseNode') },
  ];
  return blocks.flatMap(({ node, at: place }) => (node === undefined ? [] : [{ node, at: place }]));
}

/** A node and all nodes inside of it, outer ones first. */
export function withInnerNodes<Input>(node: Node<Input>): Node<Input>[] {
  const found = [node];
  // The list grows during the loop, which also visits the new members.
  for (const one of found) {
    if ('arrayNode' in one) found.push(one.arrayNode.node);
    if ('branchNode' in one)
      found.push(...nodesOfBranch(one.branchNode, new Place([])).map((inner) => inner.node));
  }
  return found;
}

/** The nodes of a workflow, and those inside of them. */
export function allNodes<Input>(template: WorkflowTemplate<Input>): Node<Input>[] {
  const { nodes, failureNode } = template;
  return [...nodes, ...(failureNode ? [failureNode] : [])].flatMap(withInnerNodes);
}

/** The keys of the things that nodes refer to: each once, sorted. They must exist before the workflow is compiled. */
export interface ReferencedKeys {
  readonly tasks: readonly EntityKey[];
  readonly subWorkflows: readonly EntityKey[];
  readonly launchPlans: readonly EntityKey[];
}

/** What the nodes of a workflow, and of the workflows that come with it, refer to. */
export function referencedKeys(
  template: WorkflowTemplate,
  subWorkflows: readonly SubWorkflow[] = [],
): ReferencedKeys {
  const nodes = [template, ...subWorkflows.map((one) => one.template)].flatMap(allNodes);
  const workflowNodes = nodes.flatMap((node) => ('workflowNode' in node ? [node.workflowNode] : []));
  return {
    tasks: sorted(nodes.flatMap((node) => ('taskNode' in node ? [node.taskNode.referenceId] : []))),
    subWorkflows: sorted(
      workflowNodes.flatMap((one) => ('subWorkflowRef' in one ? [one.subWorkflowRef] : [])),
    ),
    launchPlans: sorted(workflowNodes.flatMap((one) => ('launchplanRef' in one ? [one.launchplanRef] : []))),
  };
}

const sorted = (keys: readonly EntityKey[]): EntityKey[] => sortedByText(keys, entityKeyText);

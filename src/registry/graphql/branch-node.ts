import { builder } from '../../graphql/builder.ts';
import { innerNodeId } from '../domain/graph-nodes.ts';
import type { BranchError, BranchNode, CompiledBinding, Condition } from '../domain/workflow-templates.ts';
import { type BooleanExpressionFields, BooleanExpressionInput, BooleanExpressionType } from './condition.ts';
import { type NodeFields, NodeInput } from './workflow-node.ts';

interface IfBlockFields {
  readonly condition?: BooleanExpressionFields | null;
  readonly thenNode?: NodeFields | null;
}

export interface IfElseFields {
  readonly case?: IfBlockFields | null;
  readonly other?: readonly IfBlockFields[] | null;
  readonly elseNode?: NodeFields | null;
  readonly error?: typeof BranchErrorInput.$inferInput | null;
}

const BranchErrorInput = builder.inputType('BranchErrorInput', {
  description: 'The error with which a branch fails if no condition holds.',
  fields: (t) => ({
    failedNodeId: t.string({ defaultValue: '', description: 'The id of the node, for people.' }),
    message: t.string({ required: true, description: 'Why it fails, for people.' }),
  }),
});

const IfBlockInput = builder.inputRef<IfBlockFields>('IfBlockInput').implement({
  description: 'One case of a branch.',
  fields: (t) => ({
    condition: t.field({ type: BooleanExpressionInput, description: 'When the case is taken. Required.' }),
    thenNode: t.field({ type: NodeInput, description: 'The node that runs then. Required.' }),
  }),
});

const IfElseInput = builder.inputRef<IfElseFields>('IfElseInput').implement({
  description: 'The cases of a branch, tried in their order, and what happens if none holds.',
  fields: (t) => ({
    case: t.field({ type: IfBlockInput, description: 'The first case. Required.' }),
    other: t.field({ type: [IfBlockInput], defaultValue: [], description: 'Further cases.' }),
    elseNode: t.field({ type: NodeInput, description: 'The node that runs if no condition holds.' }),
    error: t.field({ type: BranchErrorInput, description: 'In place of `elseNode`: how the branch fails.' }),
  }),
});

export const BranchNodeInput = builder
  .inputRef<{ readonly ifElse: IfElseFields }>('BranchNodeInput')
  .implement({
    description:
      'A node that runs one of several nodes. Its inputs are what conditions compare. Its outputs are those that all its nodes have.',
    fields: (t) => ({
      ifElse: t.field({ type: IfElseInput, required: true, description: 'The cases.' }),
    }),
  });

/** The cases of a branch in the form that the domain reads. */
export function ifElseOf(
  { case: first, other, elseNode, error }: IfElseFields,
  path: readonly string[],
  nodeOf: (node: NodeFields, path: readonly string[]) => unknown,
): unknown {
  const blockOf = (block: IfBlockFields, at: readonly string[]) => ({
    condition: block.condition,
    thenNode: block.thenNode && nodeOf(block.thenNode, [...at, 'thenNode']),
  });
  return {
    case: first && blockOf(first, [...path, 'case']),
    other: (other ?? []).map((block, index) => blockOf(block, [...path, 'other', String(index)])),
    elseNode: elseNode && nodeOf(elseNode, [...path, 'elseNode']),
    error,
  };
}

/** A branch and its cases, with the id of the branch in its graph. */
interface Branch {
  readonly id: string;
  readonly branch: BranchNode<CompiledBinding>;
}

interface Case {
  readonly id: string;
  readonly block: Condition<CompiledBinding>;
}

const IfBlockType = builder.objectRef<Case>('IfBlock').implement({
  description: 'One case of a branch.',
  fields: (t) => ({
    condition: t.field({
      type: BooleanExpressionType,
      nullable: true,
      description: 'When the case is taken; never null in a compiled workflow.',
      resolve: ({ block }) => block.condition ?? null,
    }),
    thenNodeId: t.string({
      nullable: true,
      description: 'The id of the node of the graph that runs then; never null in a compiled workflow.',
      resolve: ({ id, block: { thenNode } }) => thenNode && innerNodeId(id, thenNode.id),
    }),
  }),
});

const BranchErrorType = builder.objectRef<BranchError>('BranchError').implement({
  description: 'The error with which a branch fails if no condition holds.',
  fields: (t) => ({
    failedNodeId: t.exposeString('failedNodeId', { description: 'The id of the node, for people.' }),
    message: t.exposeString('message', { description: 'Why it fails, for people.' }),
  }),
});

export const BranchNodeType = builder.objectRef<Branch>('BranchNode').implement({
  description:
    'The cases of a branch. Its nodes are nodes of the graph, too, whose `parentId` is the id of the branch.',
  fields: (t) => ({
    cases: t.field({
      type: [IfBlockType],
      extensions: { listSize: 3 },
      description: 'The cases, in the order in which they are tried.',
      resolve: ({ id, branch: { ifElse } }) =>
        [...(ifElse.case ? [ifElse.case] : []), ...ifElse.other].map((block) => ({ id, block })),
    }),
    elseNodeId: t.string({
      nullable: true,
      description:
        'The id of the node of the graph that runs if no condition holds; null if the branch fails then.',
      resolve: ({ id, branch: { ifElse } }) => ifElse.elseNode && innerNodeId(id, ifElse.elseNode.id),
    }),
    error: t.field({
      type: BranchErrorType,
      nullable: true,
      description: 'How the branch fails if no condition holds; null if there is a node for that.',
      resolve: ({ branch: { ifElse } }) => ifElse.error ?? null,
    }),
  }),
});

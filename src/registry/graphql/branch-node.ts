import { builder } from '../../graphql/builder.ts';
import { type BooleanExpressionFields, BooleanExpressionInput } from './condition.ts';
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

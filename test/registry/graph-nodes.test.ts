/** The nodes and edges of a compiled workflow, as its graph shows them. */
import { describe, expect, it } from 'vitest';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { graphEdgesOf, graphNodesOf } from '../../src/registry/domain/graph-nodes.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { aNode, aTask, bindings, integer, listOf, promise, value, variables } from './workflows.ts';

const comparison = { operator: 'EQ', leftValue: value(1), rightValue: value(2) };
const { primary } = compileWorkflow(
  readWorkflowTemplate({
    interface: { outputs: variables({ ys: listOf(integer) }) },
    nodes: [
      aNode('load', 'load'),
      {
        id: 'choice',
        branchNode: {
          ifElse: {
            case: {
              condition: { comparison },
              thenNode: aNode('then', 'double', { x: promise('load', 'y') }),
            },
            elseNode: aNode('else', 'load'),
          },
        },
      },
      {
        id: 'all',
        inputs: bindings({ x: value([1]) }),
        upstreamNodeIds: ['choice'],
        arrayNode: { node: aNode('item', 'double') },
      },
    ],
    outputs: [{ var: 'ys', binding: promise('all', 'y') }],
    failureNode: { id: 'failed', arrayNode: { node: aNode('item', 'load') } },
  }),
  { tasks: [aTask('load', {}, { y: integer }), aTask('double', { x: integer }, { y: integer })] },
);

describe('the graph of a workflow', () => {
  it('has each node after the node that it is inside of, and the failure node last', () => {
    const nodes = graphNodesOf(primary).map(({ id, parentId, isFailureNode }) => [
      id,
      parentId,
      isFailureNode,
    ]);
    expect(nodes).toEqual([
      ['load', null, false],
      ['choice', null, false],
      ['choice:then', 'choice', false],
      ['choice:else', 'choice', false],
      ['all', null, false],
      ['all:item', 'all', false],
      ['failed', null, true],
      ['failed:item', 'failed', true],
    ]);
  });

  it('says which nodes come before and after a node, without the start and the end', () => {
    const nodes = graphNodesOf(primary).map((one) => [one.id, one.upstreamNodeIds, one.downstreamNodeIds]);
    expect(nodes).toEqual([
      ['load', [], ['choice']],
      ['choice', ['load'], ['all']],
      ['choice:then', [], []],
      ['choice:else', [], []],
      ['all', ['choice'], []],
      ['all:item', [], []],
      ['failed', [], []],
      ['failed:item', [], []],
    ]);
  });

  it('tells edges with data from those that only order', () => {
    expect(graphEdgesOf(primary)).toEqual([
      { from: 'load', to: 'choice', kind: 'DATA' },
      { from: 'choice', to: 'all', kind: 'ORDER' },
    ]);
  });
});

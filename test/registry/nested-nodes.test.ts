/** Nodes inside of nodes: how deep they go, and what branches, arrays and failure nodes make of them. */
import { describe, expect, it } from 'vitest';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { faultsThrown, messagesThrown } from './outcomes.ts';
import {
  aNode,
  aTask,
  bindings,
  integer,
  keyOf,
  listOf,
  promise,
  string,
  value,
  variables,
} from './workflows.ts';

const error: LiteralType = { simple: 'ERROR' };
const tasks = [
  aTask('number', {}, { y: integer, rest: string }),
  aTask('text', {}, { y: string }),
  aTask('double', { x: integer }, { y: integer }),
  aTask('clean', { err: error }),
];
const read = (nodes: object[], more: object = {}) =>
  readWorkflowTemplate({ interface: {}, nodes, ...more }, []);
const compile = (nodes: object[], more: object = {}) =>
  compileWorkflow(
    read(nodes, more),
    {
      tasks,
      subWorkflows: readSubWorkflows([
        {
          id: keyOf('inner'),
          template: {
            interface: { inputs: variables({ x: integer }) },
            nodes: [aNode('a', 'double', { x: promise('', 'x') })],
          },
        },
      ]),
    },
    { path: [] },
  );

const comparison = { operator: 'EQ', leftValue: value(1), rightValue: value(2) };
const isEqual: object = { comparison };
const branch = (thenNode: object, more: object = {}, inputs: Record<string, unknown> = {}) => ({
  ...{ id: 'branch', inputs: bindings(inputs) },
  branchNode: { ifElse: { case: { condition: isEqual, thenNode }, error: { message: 'none' }, ...more } },
});

describe('the form of a node', () => {
  const nested = (levels: number): object =>
    levels === 1 ? aNode('a', 'number') : branch(nested(levels - 1));
  const joined = (levels: number): object =>
    levels === 1
      ? isEqual
      : { conjunction: { operator: 'AND', leftExpression: joined(levels - 1), rightExpression: isEqual } };
  const decided = (levels: number) =>
    branch(aNode('a', 'number'), { case: { condition: joined(levels), thenNode: aNode('a', 'number') } });
  const array = (more: object) => ({ id: 'all', arrayNode: { node: aNode('a', 'number'), ...more } });

  it.each([
    ['16 nodes in each other', nested(16)],
    ['64 conditions in each other', decided(64)],
    [
      'an array with the largest numbers',
      array({ parallelism: 1_000_000, minSuccesses: 1_000_000, minSuccessRatio: 1 }),
    ],
    ['an array with the smallest numbers', array({ parallelism: 0, minSuccesses: 0, minSuccessRatio: 1e-9 })],
  ])('has %s', (_what, node) => {
    expect(read([node]).nodes).toHaveLength(1);
  });

  it.each([
    ['17 nodes in each other', nested(17), 'nodes must be nested at most 16 levels deep'],
    ['65 conditions in each other', decided(65), 'conditions must be nested at most 64 levels deep'],
    [
      'an array of more items at the same time',
      array({ parallelism: 1_000_001 }),
      expect.stringContaining('1000000'),
    ],
    [
      'an array that needs more items',
      array({ minSuccesses: 1_000_001 }),
      expect.stringContaining('1000000'),
    ],
    ['a share as a text', array({ minSuccessRatio: '0.5' }), 'expected a number above 0 and at most 1'],
  ])('cannot have %s', (_what, node, message) => {
    expect([...new Set(messagesThrown(() => read([node])))]).toEqual([message]);
  });

  it('has an operand by its other kind when its value is null', () => {
    const condition = { comparison: { ...comparison, leftValue: { var: 'n', value: null } } };
    expect(read([branch(aNode('a', 'number'), { case: { condition } })]).nodes[0]).toMatchObject({
      branchNode: { ifElse: { case: { condition: { comparison: { leftValue: { var: 'n' } } } } } },
    });
  });
});

describe('a branch', () => {
  it('may fail with an error, which is kept', () => {
    expect(compile([branch(aNode('a', 'number'))]).primary.template.nodes[0]).toMatchObject({
      branchNode: { ifElse: { error: { message: 'none' } } },
    });
  });

  it.each([
    ['that only one of its nodes has', 'number', 'double', 'rest'],
    ['that its nodes have with different types', 'number', 'text', 'y'],
  ])('has no output %s', (_what, one, other, output) => {
    const elseNode = aNode('b', other, other === 'double' ? { x: value(1) } : {});
    const nodes = [
      branch(aNode('a', one), { elseNode, error: null }),
      aNode('c', 'double', { x: promise('branch', output) }),
    ];
    expect(faultsThrown(() => compile(nodes))).toEqual(['VariableNameNotFound nodes.c.inputs.x']);
  });

  it('has one problem for an input from a node that does not exist', () => {
    const nodes = [branch(aNode('a', 'number'), {}, { n: promise('gone', 'y') })];
    expect(faultsThrown(() => compile(nodes))).toEqual(['NodeReferenceNotFound nodes.branch.inputs.n']);
  });
});

describe('an array', () => {
  it('may run a workflow for each item', () => {
    const node = { id: 'item', workflowNode: { subWorkflowRef: keyOf('inner') } };
    const nodes = [{ id: 'all', inputs: bindings({ x: value([1, 2]) }), arrayNode: { node } }];
    expect(compile(nodes).primary.connections.upstream['all']).toEqual(['start-node']);
  });

  it('must give all its outputs if the share of items that must succeed is 1', () => {
    const array = { node: aNode('item', 'double'), minSuccessRatio: 1 };
    const nodes = [{ id: 'all', inputs: bindings({ x: value([1]) }), arrayNode: array }];
    const outputs = bindings({ ys: promise('all', 'y') });
    const more = { interface: { outputs: variables({ ys: listOf(integer) }) }, outputs };
    expect(compile(nodes, more).primary.template.outputs).toHaveLength(1);
  });
});

describe('a failure node', () => {
  it('gets the error from the engine, and is no part of a workflow without one', () => {
    const nodes = [aNode('a', 'number')];
    const { template } = compile(nodes, { failureNode: aNode('fn', 'clean') }).primary;
    expect(template.failureNode?.inputs).toEqual([]);
    const failureNode = aNode('fn', 'double', { x: value(1) });
    expect(compile(nodes, { failureNode }).primary.template.failureNode?.inputs).toEqual([
      { var: 'x', binding: { literal: { scalar: { primitive: { integer: '1' } } } } },
    ]);
    expect(Object.keys(compile(nodes).primary.template)).not.toContain('failureNode');
    expect(faultsThrown(() => compile([aNode('a', 'clean')]))).toEqual([
      'ParameterNotBound nodes.a.inputs.err',
    ]);
  });

  it('needs an id', () => {
    expect(faultsThrown(() => compile([aNode('a', 'number')], { failureNode: aNode('', 'number') }))).toEqual(
      ['ValueRequired failureNode.id'],
    );
  });
});

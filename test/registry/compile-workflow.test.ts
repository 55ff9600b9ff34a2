import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { canonicalJson } from '../../src/values/canonical-json.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { faultsThrown, messagesThrown } from './outcomes.ts';
import {
  aNode,
  aTask,
  bindings,
  integer,
  listOf,
  mapOf,
  none,
  promise,
  string,
  unionOf,
  value,
  variables,
} from './workflows.ts';

const structOfRows: LiteralType = {
  simple: 'STRUCT',
  metadata: {
    type: 'object',
    properties: { rows: { type: 'integer' }, parts: { type: 'array', items: { type: 'string' } } },
  },
};
const dataclass: LiteralType = { simple: 'STRUCT', structure: { dataclassType: { rows: integer } } };

const tasks = [
  aTask(
    'load',
    { path: string },
    {
      rows: integer,
      names: listOf(string),
      byName: mapOf(listOf(integer)),
      info: structOfRows,
      made: dataclass,
      free: { simple: 'STRUCT' },
      maybe: unionOf(integer, none),
      maybeNames: unionOf(listOf(string), none),
      single: unionOf(integer),
    },
  ),
  aTask('train', { rows: integer }, { model: string }),
  aTask('report', {
    titles: listOf(string),
    size: { enumType: { values: ['small', 'large'] } },
    note: unionOf(string, none),
  }),
  aTask('count', { amount: unionOf(integer, listOf(integer)), either: unionOf(string, mapOf(string), none) }),
  aTask('tick'),
];

interface Written {
  nodes: object[];
  inputs?: Record<string, LiteralType>;
  outputs?: Record<string, LiteralType>;
  bound?: Record<string, unknown>;
}

function written({ nodes, inputs = {}, outputs = {}, bound = {} }: Written) {
  return {
    interface: { inputs: variables(inputs), outputs: variables(outputs) },
    nodes,
    outputs: bindings(bound),
  };
}

const compile = (workflow: Written, maxNodes = 100) =>
  compileWorkflow(readWorkflowTemplate(written(workflow), [], maxNodes), { tasks }, { path: [] });
const faults = (workflow: Written) => faultsThrown(() => compile(workflow));

const load = aNode('load', 'load', { path: value('s3://rows') });
const train = (binding: unknown) => aNode('train', 'train', { rows: binding });
const report = (inputs: object) =>
  aNode('report', 'report', { titles: value([]), size: value('small'), ...inputs });

describe('compileWorkflow', () => {
  it('connects nodes from start to end and compiles their bindings', () => {
    const { primary, tasks: used } = compile({
      inputs: { path: string },
      outputs: { model: string },
      bound: { model: promise('train', 'model') },
      nodes: [
        train(promise('load', 'rows')),
        aNode('load', 'load', { path: promise('', 'path') }),
        aNode('tick', 'tick', {}, { upstreamNodeIds: ['train', 'load', 'train'] }),
      ],
    });
    expect(primary.connections).toEqual({
      upstream: {
        load: ['start-node'],
        train: ['load'],
        tick: ['load', 'train'],
        'end-node': ['tick', 'train'],
      },
      downstream: {
        'start-node': ['load'],
        load: ['tick', 'train'],
        train: ['end-node', 'tick'],
        tick: ['end-node'],
      },
    });
    expect(primary.template.nodes[1]?.inputs).toEqual([
      { var: 'path', binding: { promise: { nodeId: 'start-node', var: 'path' } } },
    ]);
    expect(primary.template.nodes[2]?.upstreamNodeIds).toEqual(['load', 'train']);
    expect(used.map((task) => task.id.name)).toEqual(['load', 'tick', 'train']);
  });

  it('turns plain values into literals of the type that they are bound to', () => {
    const { primary } = compile({ nodes: [train(value('9007199254740993'))] });
    expect(primary.template.nodes[0]?.inputs[0]?.binding).toEqual({
      literal: { scalar: { primitive: { integer: '9007199254740993' } } },
    });
  });

  it('leaves optional inputs unbound', () => {
    expect(
      compile({ nodes: [report({})] }).primary.template.nodes[0]?.inputs.map((input) => input.var),
    ).toEqual(['size', 'titles']);
  });

  it('follows attribute paths through lists, maps and structs', () => {
    for (const path of [
      promise('load', 'byName', 'anyone', 3),
      promise('load', 'info', 'rows'),
      promise('load', 'made', 'rows'),
      promise('load', 'free', 'whatever', 0),
    ]) {
      expect(compile({ nodes: [load, train(path)] }).primary.connections.upstream['train']).toEqual(['load']);
    }
    const titles = { titles: promise('load', 'info', 'parts') };
    expect(compile({ nodes: [load, report(titles)] }).primary.template.nodes).toHaveLength(2);
  });

  it('names the variant of a union when types decide it', () => {
    const { primary } = compile({
      nodes: [
        load,
        aNode('count', 'count', {
          amount: { collection: { bindings: [promise('load', 'rows'), value(2)] } },
          either: promise('load', 'names', 0),
        }),
      ],
    });
    expect(primary.template.nodes[1]?.inputs.map(({ binding }) => binding.union)).toEqual([
      { targetType: listOf(integer) },
      { targetType: string },
    ]);
  });

  it('leaves it to the value which variant of a union a union fits', () => {
    const either = { amount: promise('load', 'single'), either: value('x') };
    const { primary } = compile({ nodes: [load, aNode('count', 'count', either)] });
    expect(primary.template.nodes[1]?.inputs[0]?.binding).toEqual({
      promise: { nodeId: 'load', var: 'single' },
    });
  });

  it('finds outputs by an alias and names them by their own name', () => {
    const aliased = { ...load, outputAliases: [{ var: 'rows', alias: 'lines' }] };
    const { primary } = compile({ nodes: [aliased, train(promise('load', 'lines'))] });
    expect(primary.template.nodes[1]?.inputs[0]?.binding).toEqual({
      promise: { nodeId: 'load', var: 'rows' },
    });
  });

  it.each<[string, Written, string[]]>([
    ['no node', { nodes: [] }, ['NoNodesFound nodes']],
    ['two nodes of one id', { nodes: [load, load] }, ['DuplicateId nodes.load.id']],
    ['a node without id', { nodes: [aNode('', 'tick')] }, ['ValueRequired nodes.0.id']],
    [
      'an id of the compiler',
      { nodes: [aNode('start-node', 'tick'), aNode('end-node', 'tick')] },
      ['DuplicateId nodes.start-node.id', 'DuplicateId nodes.end-node.id'],
    ],
    [
      'a task that is not registered',
      { nodes: [aNode('a', 'gone', { x: value(1) })] },
      ['TaskReferenceNotFound nodes.a.taskNode.referenceId'],
    ],
    [
      'an input bound twice',
      { nodes: [{ ...load, inputs: [...load.inputs, ...load.inputs] }] },
      ['ParameterBoundMoreThanOnce nodes.load.inputs.path'],
    ],
    ['an input not bound', { nodes: [aNode('load', 'load')] }, ['ParameterNotBound nodes.load.inputs.path']],
    [
      'a union without NONE not bound',
      { nodes: [aNode('count', 'count')] },
      ['ParameterNotBound nodes.count.inputs.amount'],
    ],
    [
      'an unknown input',
      { nodes: [aNode('tick', 'tick', { toString: value(1) })] },
      ['VariableNameNotFound nodes.tick.inputs.toString'],
    ],
    [
      'a promise of an unknown node',
      { nodes: [train(promise('gone', 'rows'))] },
      ['NodeReferenceNotFound nodes.train.inputs.rows'],
    ],
    [
      'a promise of the end',
      { nodes: [train(promise('end-node', 'rows'))] },
      ['NodeReferenceNotFound nodes.train.inputs.rows'],
    ],
    [
      'a promise of an unknown output',
      { nodes: [load, train(promise('load', '__proto__'))] },
      ['VariableNameNotFound nodes.train.inputs.rows'],
    ],
    [
      'a promise of an unknown workflow input',
      { nodes: [train(promise('start-node', 'rows'))] },
      ['VariableNameNotFound nodes.train.inputs.rows'],
    ],
    [
      'a promise of another type',
      { nodes: [load, train(promise('load', 'names'))] },
      ['MismatchingTypes nodes.train.inputs.rows'],
    ],
    [
      'a promise that may be none',
      { nodes: [load, train(promise('load', 'maybe'))] },
      ['MismatchingTypes nodes.train.inputs.rows'],
    ],
    [
      'a value of another type',
      { nodes: [train(value('many'))] },
      ['MismatchingTypes nodes.train.inputs.rows'],
    ],
    [
      'a literal of another type',
      { nodes: [train({ literal: { scalar: { primitive: { stringValue: '1' } } } })] },
      ['MismatchingTypes nodes.train.inputs.rows'],
    ],
    [
      'a value that the enum does not have',
      { nodes: [report({ size: value('huge') })] },
      ['IllegalEnumValue nodes.report.inputs.size'],
    ],
    [
      'a list bound to no list',
      { nodes: [train({ collection: { bindings: [] } })] },
      ['MismatchingBindings nodes.train.inputs.rows'],
    ],
    [
      'a map bound to no map',
      { nodes: [train({ map: { bindings: {} } })] },
      ['MismatchingBindings nodes.train.inputs.rows'],
    ],
    [
      'a fault inside a list',
      { nodes: [report({ titles: { collection: { bindings: [value('a'), value(1)] } } })] },
      ['MismatchingTypes nodes.report.inputs.titles.1'],
    ],
    [
      'a value no variant takes',
      { nodes: [report({ note: value(1) })] },
      ['IncompatibleBindingUnionValue nodes.report.inputs.note'],
    ],
    [
      'an unknown field of a struct',
      { nodes: [load, train(promise('load', 'info', 'lines'))] },
      ['FieldNotFound nodes.train.inputs.rows.attrPath.0'],
    ],
    [
      'an unknown field of a dataclass',
      { nodes: [load, train(promise('load', 'made', 'constructor'))] },
      ['FieldNotFound nodes.train.inputs.rows.attrPath.0'],
    ],
    [
      'a key of a list',
      { nodes: [load, train(promise('load', 'byName', 'a', 'b'))] },
      ['FieldNotFound nodes.train.inputs.rows.attrPath.1'],
    ],
    [
      'an attribute of an optional',
      { nodes: [load, train(promise('load', 'maybe', 'x'))] },
      ['FieldNotFound nodes.train.inputs.rows.attrPath.0'],
    ],
    [
      'an index of an optional list',
      { nodes: [load, report({ note: promise('load', 'maybeNames', 0) })] },
      ['FieldNotFound nodes.report.inputs.note.attrPath.0'],
    ],
    [
      'an attribute of a number',
      { nodes: [load, train(promise('load', 'rows', 'x'))] },
      ['FieldNotFound nodes.train.inputs.rows.attrPath.0'],
    ],
    [
      'a field of another type',
      { nodes: [load, train(promise('load', 'info', 'parts'))] },
      ['MismatchingTypes nodes.train.inputs.rows'],
    ],
    [
      'an unknown upstream id',
      { nodes: [aNode('tick', 'tick', {}, { upstreamNodeIds: ['gone'] })] },
      ['NodeReferenceNotFound nodes.tick.upstreamNodeIds.0'],
    ],
    [
      'a node that waits for itself',
      { nodes: [aNode('tick', 'tick', {}, { upstreamNodeIds: ['tick'] })] },
      ['CycleDetected nodes.tick'],
    ],
    [
      'an alias twice',
      {
        nodes: [
          {
            ...load,
            outputAliases: [
              { var: 'rows', alias: 'names' },
              { var: 'gone', alias: 'x' },
            ],
          },
        ],
      },
      ['DuplicateAlias nodes.load.outputAliases.0', 'VariableNameNotFound nodes.load.outputAliases.1'],
    ],
    [
      'a workflow output not bound',
      { nodes: [load], outputs: { model: string } },
      ['ParameterNotBound outputs.model'],
    ],
    [
      'a workflow output of another type',
      { nodes: [load], outputs: { model: string }, bound: { model: promise('load', 'rows') } },
      ['MismatchingTypes outputs.model'],
    ],
    [
      'an unknown workflow output',
      { nodes: [load], bound: { model: value('x') } },
      ['VariableNameNotFound outputs.model'],
    ],
  ])('refuses %s', (_what, workflow, expected) => {
    expect(faults(workflow)).toEqual(expected);
  });

  it('reports all problems together, in the order of the nodes', () => {
    const nodes = [
      aNode('b', 'train', { rows: value('x') }, { upstreamNodeIds: ['c'] }),
      aNode('a', 'gone', { rows: promise('nowhere', 'x') }),
      aNode('c', 'tick', {}, { upstreamNodeIds: ['b'] }),
      aNode('d', 'tick', {}, { upstreamNodeIds: ['c'] }),
    ];
    expect(faults({ nodes, outputs: { out: integer } })).toEqual([
      'TaskReferenceNotFound nodes.a.taskNode.referenceId',
      'MismatchingTypes nodes.b.inputs.rows',
      'ParameterNotBound outputs.out',
      'CycleDetected nodes.b',
      'UnreachableNodes nodes',
    ]);
  });

  it('names at most 20 nodes of a cycle', () => {
    const messageOf = (size: number) => {
      const id = (index: number) => `n${String(index).padStart(2, '0')}`;
      const nodes = Array.from({ length: size }, (_, index) =>
        aNode(id(index), 'tick', {}, { upstreamNodeIds: [id((index + 1) % size)] }),
      );
      return messagesThrown(() => compile({ nodes }))[0];
    };
    expect(messageOf(20)).toMatch(/: n00, .*, n19$/);
    expect(messageOf(21)).toMatch(/: n00, .*, n19 and 1 more$/);
  });

  it('limits the number of nodes; 0 is no limit', () => {
    const nodes = Array.from({ length: 101 }, (_, index) => aNode(`n${index}`, 'tick'));
    expect(faults({ nodes })).toEqual(['InvalidValue nodes']);
    expect(compile({ nodes }, 0).primary.template.nodes).toHaveLength(101);
    expect(compile({ nodes: nodes.slice(1) }).primary.template.nodes).toHaveLength(100);
  });

  it('compiles a chain of 5,000 nodes, and finds a cycle of 5,000 nodes', () => {
    const chain = (first: string[]) =>
      Array.from({ length: 5000 }, (_, index) =>
        aNode(`n${index}`, 'tick', {}, { upstreamNodeIds: index === 0 ? first : [`n${index - 1}`] }),
      );
    const { connections } = compile({ nodes: chain([]) }, 0).primary;
    expect(connections.upstream['n4999']).toEqual(['n4998']);
    expect(faultsThrown(() => compile({ nodes: chain(['n4999']) }, 0))).toEqual(['CycleDetected nodes.n0']);
  });

  it('gives equal closures whatever the order of keys, bindings and upstream ids', () => {
    const compiled = (upstreamNodeIds: string[], reversed: boolean) => {
      const inputs = Object.entries({ titles: value(['a']), size: value('small'), note: value(null) });
      const bound = Object.fromEntries(reversed ? inputs.reverse() : inputs);
      const nodes = [load, aNode('tick', 'tick'), aNode('report', 'report', bound, { upstreamNodeIds })];
      return canonicalJson(compile({ nodes }));
    };
    expect(compiled(['tick', 'load'], true)).toBe(compiled(['load', 'tick', 'load'], false));
  });

  it('detects a cycle exactly where there is one', () => {
    const edges = fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), { selector: String, maxLength: 14 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const nodes = Array.from({ length: 8 }, (_, to) =>
          aNode(
            `n${to}`,
            'tick',
            {},
            {
              upstreamNodeIds: pairs.filter((pair) => pair[1] === to).map(([from]) => `n${from}`),
            },
          ),
        );
        const isCyclic = !canBeOrdered(pairs);
        if (isCyclic) expect(faults({ nodes })[0]).toMatch(/^CycleDetected/);
        else expect(Object.keys(compile({ nodes }).primary.connections.upstream)).toHaveLength(9);
      }),
    );
  });
});

/** Whether repeatedly removing nodes that wait for no other removes all nodes. */
function canBeOrdered(edges: readonly (readonly [number, number])[]): boolean {
  let left = [...edges];
  for (;;) {
    const waiting = new Set(left.map(([, to]) => to));
    const rest = left.filter(([from]) => waiting.has(from));
    if (rest.length === left.length) return rest.length === 0;
    left = rest;
  }
}

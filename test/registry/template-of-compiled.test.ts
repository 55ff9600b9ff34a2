/** A compiled workflow can be compiled again: nothing is lost, and only the keys change that should. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileWorkflow, type Known } from '../../src/registry/domain/compile-workflow.ts';
import { digestOf } from '../../src/registry/domain/digest.ts';
import type { EntityKey } from '../../src/registry/domain/entity-keys.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { type Rekey, templateOfCompiled } from '../../src/registry/domain/template-of-compiled.ts';
import type { CompiledWorkflowClosure } from '../../src/registry/domain/workflow-templates.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { literalOf, plainOf, typeWithUnions } from '../values/arbitraries.ts';
import {
  aNode,
  aTask,
  bindings,
  integer,
  keyOf,
  listOf,
  mapOf,
  none,
  promise,
  string,
  unionOf,
  value,
  variables,
} from './workflows.ts';

const error: LiteralType = { simple: 'ERROR' };
const known: Known = {
  tasks: [
    aTask('double', { x: integer }, { y: integer }),
    aTask('clean', { err: unionOf(error, none), x: integer }),
    aTask('choose', { x: unionOf(integer, string, listOf(integer), mapOf(integer)) }, { y: integer }),
    aTask('nested', { x: mapOf(listOf(integer)) }, { y: integer }),
  ],
  launchPlans: [
    {
      id: keyOf('plan'),
      expectedInputs: { x: { var: { type: integer }, required: true } },
      expectedOutputs: { z: { type: integer } },
    },
  ],
};

interface Written {
  nodes: object[];
  inputs?: Record<string, LiteralType>;
  outputs?: Record<string, LiteralType>;
  bound?: Record<string, unknown>;
  more?: object;
}

const written = ({ nodes, inputs = { n: integer }, outputs = {}, bound = {}, more }: Written) => ({
  interface: { inputs: variables(inputs), outputs: variables(outputs) },
  nodes,
  outputs: bindings(bound),
  ...more,
});

type SubWorkflows = readonly { id: EntityKey; template: object }[];

/** The closure as the database returns it. */
function compile(template: object, subWorkflows: SubWorkflows = [], among = known): CompiledWorkflowClosure {
  const all = { ...among, subWorkflows: readSubWorkflows(subWorkflows) };
  return JSON.parse(JSON.stringify(compileWorkflow(readWorkflowTemplate(template, []), all, { path: [] })));
}

const again = ({ primary, subWorkflows = [] }: CompiledWorkflowClosure, rekey: Rekey, among = known) =>
  compile(
    templateOfCompiled(primary.template, rekey),
    subWorkflows.map(({ id, template }) => ({
      id: rekey(id),
      template: templateOfCompiled(template, rekey),
    })),
    among,
  );

const n = promise('', 'n');
const double = (id: string, x: unknown = value(1), rest: object = {}) => aNode(id, 'double', { x }, rest);
const node = (id: string, target: object, inputs: Record<string, unknown> = {}) => ({
  id,
  inputs: bindings(inputs),
  ...target,
});
const call = (id: string, name: string) =>
  node(id, { workflowNode: { subWorkflowRef: keyOf(name) } }, { n: value(1) });
const start = (id: string) => node(id, { workflowNode: { launchplanRef: keyOf('plan') } }, { x: n });
const isLarge = { comparison: { operator: 'GT', leftValue: { var: 'n' }, rightValue: value(10) } };
const isSmall = {
  conjunction: {
    operator: 'AND',
    leftExpression: isLarge,
    rightExpression: {
      comparison: { operator: 'NEQ', leftValue: value(3), rightValue: { var: 'n' } },
    },
  },
};
const branch = (ifElse: object) => node('choice', { branchNode: { ifElse } }, { n });
const array = (id: string, more: object, x: unknown = value([1, 2])) =>
  node(
    id,
    { arrayNode: { node: { id: 'item', taskNode: { referenceId: keyOf('double') } }, ...more } },
    { x },
  );
const hashed = { literal: { scalar: { primitive: { integer: '7' } }, hash: 'h', metadata: { a: 'b' } } };

const inner = written({
  nodes: [double('a', n), start('b')],
  outputs: { z: integer },
  bound: { z: promise('a', 'y') },
});

const kinds: Record<string, Written & { subWorkflows?: SubWorkflows }> = {
  'a task, with all that a node can say': {
    nodes: [
      double('a', hashed),
      double('b', n, {
        upstreamNodeIds: ['a'],
        outputAliases: [{ var: 'y', alias: 'why' }],
        metadata: { name: 'b', timeout: 'PT90S', retries: 2, interruptible: false, cacheable: true },
        taskNode: {
          referenceId: keyOf('double'),
          overrides: {
            containerImage: 'other',
            podTemplate: { a: 1 },
            resources: { requests: [{ name: 'CPU', value: '1' }] },
          },
        },
      }),
      double('c', promise('b', 'why')),
    ],
    outputs: { z: integer },
    bound: { z: promise('c', 'y') },
    more: {
      metadata: { onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE', tags: { a: 'b' } },
      metadataDefaults: { interruptible: true },
    },
  },
  'bindings of unions, lists and maps': {
    nodes: [
      aNode('a', 'choose', { x: n }),
      aNode('b', 'choose', { x: value('text') }),
      aNode('c', 'choose', { x: { collection: { bindings: [n, value(2), hashed] } } }),
      aNode('d', 'choose', { x: { map: { bindings: { k: promise('a', 'y') } } } }),
      aNode('e', 'nested', { x: { map: { bindings: { k: { collection: { bindings: [n] } } } } } }),
    ],
  },
  'a workflow': {
    nodes: [call('sub', 'inner'), double('b', promise('sub', 'z'))],
    subWorkflows: [{ id: keyOf('inner'), template: inner }],
  },
  'a launch plan': { nodes: [start('run'), double('b', promise('run', 'z'))] },
  'a branch with nodes of other kinds inside': {
    nodes: [
      branch({
        case: { condition: isLarge, thenNode: double('large') },
        other: [
          { condition: isSmall, thenNode: start('run') },
          { condition: isLarge, thenNode: array('many', {}) },
        ],
        elseNode: node(
          'inside',
          {
            branchNode: {
              ifElse: { case: { condition: isLarge, thenNode: double('deep') }, error: { message: 'no' } },
            },
          },
          { n },
        ),
      }),
    ],
  },
  gates: {
    nodes: [
      node('approve', { gateNode: { approve: { signalId: 's' } } }, { x: n }),
      node('signal', { gateNode: { signal: { signalId: 't', type: integer, outputVariableName: 'v' } } }),
      node('sleep', { gateNode: { sleep: { duration: 'PT5M' } } }),
      double('b', promise('approve', 'x')),
    ],
  },
  arrays: {
    nodes: [
      array('all', { parallelism: 2, minSuccesses: 1, executionMode: 'FULL_STATE', runAllSubNodes: true }),
      array('part', { minSuccessRatio: 0.1, dataMode: 'INDIVIDUAL_INPUT_FILES' }),
      array('bound', { boundInputs: ['x'] }, n),
      node(
        'plans',
        {
          arrayNode: { node: { id: 'item', workflowNode: { launchplanRef: keyOf('plan') } } },
        },
        { x: value([1]) },
      ),
    ],
  },
  'a failure node': {
    nodes: [double('a', n)],
    more: { failureNode: aNode('fn', 'clean', { x: n }) },
  },
};
const rows = Object.entries(kinds).map(([name, { subWorkflows, ...one }]) => ({
  name,
  closure: compile(written(one), subWorkflows),
}));

const toProduction: Rekey = (key) =>
  key.project === 'vision' && key.domain === 'development' ? { ...key, domain: 'production' } : key;
/** These documents have the word only in keys. */
const inProduction = <T>(document: T): T =>
  JSON.parse(JSON.stringify(document).replaceAll('"development"', '"production"'));

describe.each(rows)('a compiled workflow with $name', ({ closure }) => {
  it('is the same after it is compiled again', () => {
    const copy = again(closure, (key) => key);
    expect(copy).toEqual(closure);
    expect(digestOf(copy)).toBe(digestOf(closure));
  });

  it('has other keys at every reference, and nothing else', () => {
    const copy = again(closure, toProduction, inProduction(known));
    expect(copy).toEqual(inProduction(closure));
    expect(JSON.stringify(copy)).not.toContain('development');
  });
});

describe('a binding', () => {
  it('of any type and value is the same after it is compiled again', () => {
    const typed = typeWithUnions.chain((type) =>
      fc
        .oneof(
          plainOf(type).map((plain) => value(plain)),
          literalOf(type).map((literal) => ({ literal })),
        )
        .map((binding) => ({ type, binding })),
    );
    let compiled = 0;
    fc.assert(
      fc.property(typed, ({ type, binding }) => {
        const among = { tasks: [aTask('any', { x: type })] };
        const template = written({ nodes: [aNode('a', 'any', { x: binding })] });
        const closure = compiledOrNull(() => compile(template, [], among));
        if (!closure) return;
        compiled += 1;
        expect(again(closure, (key) => key, among)).toEqual(closure);
      }),
    );
    // Some plain values fit more than one variant of a union, so they are refused.
    expect(compiled).toBeGreaterThan(20);
  });
});

function compiledOrNull(act: () => CompiledWorkflowClosure): CompiledWorkflowClosure | null {
  try {
    return act();
  } catch {
    return null;
  }
}

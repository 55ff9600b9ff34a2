import { describe, expect, it } from 'vitest';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { digestOf } from '../../src/registry/domain/digest.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import type { CompiledLaunchPlan } from '../../src/registry/domain/workflow-templates.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { faultsThrown } from './outcomes.ts';
import {
  aNode,
  aTask,
  bindings,
  integer,
  keyOf,
  listOf,
  none,
  promise,
  string,
  unionOf,
  value,
  variables,
} from './workflows.ts';

const error: LiteralType = { simple: 'ERROR' };
const tasks = [
  aTask('double', { x: integer }, { y: integer }),
  aTask('label', { x: integer }, { y: integer, text: string }),
  aTask('clean', { err: unionOf(error, none), x: integer }),
  aTask('lists', { x: listOf(integer), unit: string }, { y: listOf(integer) }),
];
const launchPlans: CompiledLaunchPlan[] = [
  {
    id: keyOf('plan'),
    expectedInputs: {
      x: { var: { type: integer }, required: true },
      note: { var: { type: string }, default: { scalar: { primitive: { stringValue: 'none' } } } },
    },
    expectedOutputs: { z: { type: integer } },
  },
];

interface Written {
  nodes: object[];
  inputs?: Record<string, LiteralType>;
  outputs?: Record<string, LiteralType>;
  bound?: Record<string, unknown>;
  failureNode?: object;
}

const written = ({ nodes, inputs = {}, outputs = {}, bound = {}, failureNode }: Written) => ({
  interface: { inputs: variables(inputs), outputs: variables(outputs) },
  nodes,
  outputs: bindings(bound),
  failureNode,
});

const compile = (workflow: Written, subWorkflows: Record<string, Written> = {}) =>
  compileWorkflow(
    readWorkflowTemplate(written(workflow), []),
    {
      tasks,
      launchPlans,
      subWorkflows: readSubWorkflows(
        Object.entries(subWorkflows).map(([name, one]) => ({ id: keyOf(name), template: written(one) })),
      ),
    },
    { path: [], subWorkflowsPath: ['subWorkflows'] },
  );
const faults = (workflow: Written, subWorkflows?: Record<string, Written>) =>
  faultsThrown(() => compile(workflow, subWorkflows));

const double = (id: string, x: unknown = value(1), rest: object = {}) => aNode(id, 'double', { x }, rest);
const node = (id: string, target: object, inputs: Record<string, unknown> = {}, rest: object = {}) => ({
  id,
  inputs: bindings(inputs),
  ...target,
  ...rest,
});

const inner: Written = {
  inputs: { x: integer },
  outputs: { z: integer },
  bound: { z: promise('a', 'y') },
  nodes: [double('a', promise('', 'x'))],
};
const call = (id: string, name: string, x: unknown = value(1)) =>
  node(id, { workflowNode: { subWorkflowRef: keyOf(name) } }, { x });

describe('a node that runs a workflow', () => {
  it('has the interface of the workflow, which is compiled too', () => {
    const closure = compile({ nodes: [call('sub', 'inner'), double('b', promise('sub', 'z'))] }, { inner });
    expect(closure.primary.connections.upstream['b']).toEqual(['sub']);
    expect(closure.subWorkflows?.map(({ id, connections }) => [id.name, connections.upstream['a']])).toEqual([
      ['inner', ['start-node']],
    ]);
    expect(closure.tasks.map(({ id }) => id.name)).toEqual(['double']);
  });

  it.each([
    [
      'a workflow that does not come along',
      [call('sub', 'other')],
      { inner },
      ['WorkflowReferenceNotFound nodes.sub.workflowNode.subWorkflowRef'],
    ],
    [
      'a value of another type',
      [call('sub', 'inner', value('one'))],
      { inner },
      ['MismatchingTypes nodes.sub.inputs.x'],
    ],
    [
      'an output that the workflow does not have',
      [call('sub', 'inner'), double('b', promise('sub', 'y'))],
      { inner },
      ['VariableNameNotFound nodes.b.inputs.x'],
    ],
    [
      'a fault inside of the workflow',
      [call('sub', 'inner')],
      { inner: { ...inner, bound: {} } },
      ['ParameterNotBound subWorkflows.0.template.outputs.z'],
    ],
    [
      'a workflow that runs itself',
      [call('sub', 'inner')],
      { inner: { ...inner, nodes: [call('a', 'inner')], bound: { z: promise('a', 'z') } } },
      ['CycleDetected subWorkflows.0'],
    ],
  ] as [string, object[], Record<string, Written>, string[]][])(
    'is refused with %s',
    (_what, nodes, subs, expected) => {
      expect(faults({ nodes }, subs)).toEqual(expected);
    },
  );
});

describe('a node of a launch plan', () => {
  const launch = (inputs: Record<string, unknown>, plan = 'plan') =>
    node('run', { workflowNode: { launchplanRef: keyOf(plan) } }, inputs);

  it('needs no binding for an input with a default, and has the outputs of the launch plan', () => {
    const closure = compile({ nodes: [launch({ x: value(1) }), double('b', promise('run', 'z'))] });
    expect(closure.launchPlans?.map(({ id }) => id.name)).toEqual(['plan']);
  });

  it('needs a binding for a required input', () => {
    expect(faults({ nodes: [launch({})] })).toEqual(['ParameterNotBound nodes.run.inputs.x']);
  });

  it('is refused if the launch plan does not exist', () => {
    expect(faults({ nodes: [launch({ x: value(1) }, 'other')] })).toEqual([
      'WorkflowReferenceNotFound nodes.run.workflowNode.launchplanRef',
    ]);
  });
});

describe('a branch', () => {
  const compared = (operator: string, leftValue: object, rightValue: object) => ({
    comparison: { operator, leftValue, rightValue },
  });
  const isLarge = compared('GT', { var: 'n' }, value(10));
  const branch = (ifElse: object, inputs: Record<string, unknown> = { n: value(3) }) =>
    node('choice', { branchNode: { ifElse } }, inputs);
  const whole = {
    case: { condition: isLarge, thenNode: double('large') },
    elseNode: aNode('small', 'label', { x: value(2) }),
  };

  it('has the outputs that all its nodes have, and waits for what they use', () => {
    const { primary } = compile({
      nodes: [
        double('a'),
        branch({ ...whole, case: { condition: isLarge, thenNode: double('large', promise('a', 'y')) } }),
        double('b', promise('choice', 'y')),
      ],
    });
    expect(primary.connections.upstream).toMatchObject({ choice: ['a'], b: ['choice'] });
    expect(
      faults({ nodes: [branch(whole), aNode('b', 'double', { x: promise('choice', 'text') })] }),
    ).toEqual(['VariableNameNotFound nodes.b.inputs.x']);
  });

  it('turns plain values of conditions into literals of the type of the other side', () => {
    const at = { datetime: '2026-01-01T00:00:00Z' };
    const { primary } = compile({
      inputs: { at: { simple: 'DATETIME' } },
      nodes: [
        branch(
          {
            ...whole,
            case: { condition: compared('LT', { var: 'at' }, value(at.datetime)), thenNode: double('x') },
          },
          { at: promise('', 'at') },
        ),
      ],
    });
    expect(primary.template.nodes[0]).toMatchObject({
      branchNode: {
        ifElse: {
          case: { condition: { comparison: { rightValue: { literal: { scalar: { primitive: at } } } } } },
        },
      },
    });
  });

  const fault = 'nodes.choice.branchNode.ifElse';
  const condition = `${fault}.case.condition.comparison`;
  it.each([
    ['without a case', { elseNode: double('b') }, [`NoConditionFound ${fault}.case`]],
    [
      'without a condition',
      { ...whole, case: { thenNode: double('b') } },
      [`BranchNodeHasNoCondition ${fault}.case.condition`],
    ],
    [
      'without a node',
      { ...whole, case: { condition: isLarge } },
      [`BranchNodeIdNotFound ${fault}.case.thenNode`],
    ],
    ['without an end', { case: whole.case }, [`BranchNodeHasNoDefault ${fault}`]],
    ['with two ends', { ...whole, error: { message: 'none' } }, [`InvalidValue ${fault}`]],
    [
      'with two nodes of one id',
      { ...whole, elseNode: double('large') },
      [`DuplicateId ${fault}.elseNode.id`],
    ],
    [
      'that compares another type',
      {
        ...whole,
        case: {
          ...whole.case,
          condition: compared(
            'EQ',
            { var: 'n' },
            { literal: { scalar: { primitive: { stringValue: 'x' } } } },
          ),
        },
      },
      [`MismatchingTypes ${condition}`],
    ],
    [
      'that compares an input it does not have',
      { ...whole, case: { ...whole.case, condition: compared('EQ', { var: 'm' }, value(1)) } },
      [`VariableNameNotFound ${condition}.leftValue`],
    ],
    [
      'that orders NONE',
      {
        ...whole,
        case: {
          ...whole.case,
          condition: compared('GT', { var: 'n' }, { literal: { scalar: { noneType: {} } } }),
        },
      },
      [`MismatchingTypes ${condition}`],
    ],
    [
      'whose node uses an unknown node',
      { ...whole, elseNode: double('b', promise('nowhere', 'y')) },
      [`NodeReferenceNotFound ${fault}.elseNode.inputs.x.binding`.replace('.binding', '')],
    ],
  ] as [string, object, string[]][])('is refused %s', (_what, ifElse, expected) => {
    expect(faults({ nodes: [branch(ifElse)] })).toEqual(expected);
  });

  it('compares an optional input with NONE', () => {
    const isNone = compared('EQ', { var: 'n' }, { literal: { scalar: { noneType: {} } } });
    const nodes = [
      branch({ ...whole, case: { ...whole.case, condition: isNone } }, { n: promise('', 'maybe') }),
    ];
    expect(compile({ inputs: { maybe: unionOf(integer, none) }, nodes }).primary.template.nodes).toHaveLength(
      1,
    );
  });
});

describe('a gate', () => {
  it('passes the inputs of an approval on, through many of them', () => {
    const gates = Array.from({ length: 50 }, (_, at) =>
      node(
        `g${at}`,
        { gateNode: { approve: { signalId: `s${at}` } } },
        { x: at === 0 ? value(1) : promise(`g${at - 1}`, 'x') },
      ),
    );
    // Written backwards, because types follow the graph, not the order of the text.
    const { primary } = compile({ nodes: [double('b', promise('g49', 'x')), ...gates.reverse()] });
    expect(primary.connections.upstream['b']).toEqual(['g49']);
  });

  it('has the value of a signal as its output', () => {
    const signal = { signalId: 's', type: integer, outputVariableName: 'n' };
    const nodes = [node('g', { gateNode: { signal } }), double('b', promise('g', 'n'))];
    expect(compile({ nodes }).primary.connections.upstream['b']).toEqual(['g']);
    expect(
      faults({
        nodes: [node('g', { gateNode: { signal: { ...signal, type: string } } }), nodes[1] as object],
      }),
    ).toEqual(['MismatchingTypes nodes.b.inputs.x']);
  });

  it.each([
    [{ sleep: {} }, ['MissingField nodes.g.gateNode.sleep.duration']],
    [{ sleep: { duration: '-PT1S' } }, ['InvalidValue nodes.g.gateNode.sleep.duration']],
    [{ signal: { signalId: 's', outputVariableName: 'n' } }, ['MissingField nodes.g.gateNode.signal.type']],
    [
      { signal: { signalId: 's', type: integer } },
      ['MissingField nodes.g.gateNode.signal.outputVariableName'],
    ],
    [{ approve: { signalId: '' } }, ['MissingField nodes.g.gateNode.approve.signalId']],
    [{}, ['ValueRequired nodes.g.gateNode']],
  ])('is refused as %j', (gateNode, expected) => {
    expect(faults({ nodes: [node('g', { gateNode })] })).toEqual(expected);
  });

  it('gives no type to a value without one, such as an object', () => {
    expect(
      faults({ nodes: [node('g', { gateNode: { approve: { signalId: 's' } } }, { x: value({ a: 1 }) })] }),
    ).toEqual(['InvalidLiteralType nodes.g.inputs.x']);
  });
});

describe('an array', () => {
  const array = (more: object, task = 'double') => ({
    arrayNode: { node: { id: 'item', taskNode: { referenceId: keyOf(task) } }, ...more },
  });
  const xs = { literal: { collection: { literals: [{ scalar: { primitive: { integer: '1' } } }] } } };
  const typeOf = (more: object, wanted: LiteralType) =>
    faults({
      nodes: [node('fan', array(more), { x: xs })],
      outputs: { ys: wanted },
      bound: { ys: promise('fan', 'y') },
    });

  it('has lists of the inputs and outputs of its node', () => {
    expect(
      compile({
        nodes: [node('fan', array({}), { x: xs })],
        outputs: { ys: listOf(integer) },
        bound: { ys: promise('fan', 'y') },
      }).tasks,
    ).toHaveLength(1);
    expect(typeOf({}, integer)).toEqual(['MismatchingTypes outputs.ys']);
  });

  it('has optional outputs if not all items must succeed', () => {
    expect(typeOf({ minSuccessRatio: 0.5 }, listOf(integer))).toEqual(['MismatchingTypes outputs.ys']);
    expect(typeOf({ minSuccesses: 1 }, listOf(integer))).toEqual(['MismatchingTypes outputs.ys']);
    const ok = {
      nodes: [node('fan', array({ minSuccesses: 1 }), { x: xs })],
      outputs: { ys: listOf(unionOf(integer, none)) },
      bound: { ys: promise('fan', 'y') },
    };
    expect(compile(ok).tasks).toHaveLength(1);
  });

  it('keeps bound inputs as they are', () => {
    expect(
      compile({ nodes: [node('fan', array({ boundInputs: ['x'] }), { x: value(1) })] }).tasks,
    ).toHaveLength(1);
    expect(faults({ nodes: [node('fan', array({ boundInputs: ['q'] }), { x: xs })] })).toEqual([
      'VariableNameNotFound nodes.fan.arrayNode.boundInputs.0',
    ]);
  });

  it('takes an interface with lists as it is, if its author says so', () => {
    const more = { isOriginalSubNodeInterface: false, boundInputs: ['unit'] };
    const nodes = [node('fan', array(more, 'lists'), { x: xs, unit: value('m') })];
    expect(
      compile({ nodes, outputs: { ys: listOf(integer) }, bound: { ys: promise('fan', 'y') } }).tasks,
    ).toHaveLength(1);
  });

  it.each([
    [{ minSuccessRatio: 0 }, ['InvalidValue nodes.fan.arrayNode.minSuccessRatio']],
    [{ minSuccessRatio: 1.01 }, ['InvalidValue nodes.fan.arrayNode.minSuccessRatio']],
    [{ parallelism: -1 }, ['InvalidValue nodes.fan.arrayNode.parallelism']],
    [
      { node: { id: 'item', gateNode: { approve: { signalId: 's' } } } },
      ['InvalidValue nodes.fan.arrayNode.node'],
    ],
    [
      { node: { id: '', taskNode: { referenceId: keyOf('double') } } },
      ['ValueRequired nodes.fan.arrayNode.node.id'],
    ],
    [{ node: double('item') }, ['InvalidValue nodes.fan.arrayNode.node.inputs']],
  ])('is refused with %j', (more, expected) => {
    expect(faults({ nodes: [node('fan', array(more), { x: xs })] })).toEqual(expected);
  });
});

describe('a failure node', () => {
  const failing = (failureNode: object) => ({ inputs: { x: integer }, nodes: [double('a')], failureNode });

  it('uses inputs of the workflow, and leaves the error unbound', () => {
    const closure = compile(failing(aNode('fn', 'clean', { x: promise('', 'x') })));
    expect(closure.primary.template.failureNode?.id).toBe('fn');
    expect(closure.primary.connections.downstream['start-node']).toEqual(['a']);
    expect(closure.tasks.map(({ id }) => id.name)).toEqual(['clean', 'double']);
  });

  it.each([
    [
      'the output of a node',
      aNode('fn', 'clean', { x: promise('a', 'y') }),
      ['NodeReferenceNotFound failureNode.inputs.x'],
    ],
    ['no value for an input', aNode('fn', 'clean'), ['ParameterNotBound failureNode.inputs.x']],
    ['the id of another node', aNode('a', 'clean', { x: value(1) }), ['DuplicateId failureNode.id']],
  ])('is refused with %s', (_what, failureNode, expected) => {
    expect(faults(failing(failureNode))).toEqual(expected);
  });
});

describe('the id of a node', () => {
  it('must not contain a colon, with which the engine joins ids', () => {
    expect(faults({ nodes: [double('a:b')] })).toEqual(['InvalidValue nodes.a:b.id']);
  });

  it('needs one of five targets', () => {
    expect(faults({ nodes: [{ id: 'a' }] })).toEqual(['ValueRequired nodes.a']);
  });
});

describe('the digest', () => {
  it('of a workflow with only tasks is the same as before there were other nodes', () => {
    const { primary, tasks: used, ...others } = compile({ nodes: [double('a')] });
    expect(others).toEqual({});
    expect(digestOf({ primary, tasks: used })).toBe(digestOf(compile({ nodes: [double('a')] })));
  });

  it('changes with a workflow that comes along', () => {
    const nodes = [call('sub', 'inner')];
    const other = { ...inner, nodes: [double('a', promise('', 'x')), double('b')] };
    expect(digestOf(compile({ nodes }, { inner }))).not.toBe(digestOf(compile({ nodes }, { inner: other })));
  });
});

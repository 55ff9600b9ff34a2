import { describe, expect, it } from 'vitest';
import { beginNode } from '../../src/executions/commands/begin-node.ts';
import type { RunnableNode } from '../../src/registry/domain/closure.ts';
import { type CompiledBindingData, START_NODE_ID } from '../../src/registry/domain/workflow-templates.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';
import { Work } from '../../src/values/problem-list.ts';
import { bindings, integer, none, promise, unionOf, variables } from '../registry/workflows.ts';

const now = new Date('2026-01-01T00:00:00.000Z');
const failure = { failedNodeId: 'a', message: 'it broke' };
const error: LiteralType = { simple: 'ERROR' };
const one: Literal = { scalar: { primitive: { integer: '1' } } };
const upstream = { inputs: { x: one }, outputs: new Map() };

/** A node with these inputs, of which some are bound. */
const nodeOf = (
  kind: string,
  types: Record<string, LiteralType>,
  bound: Record<string, CompiledBindingData>,
  more: object = {},
) =>
  ({
    id: 'n',
    kind,
    inputs: bindings(bound),
    inputTypes: variables(types),
    ...more,
  }) as unknown as RunnableNode;

const begin = (node: RunnableNode, options: Parameters<typeof beginNode>[4] = {}) =>
  beginNode(node, upstream, now, new Work(), options);

const x = promise(START_NODE_ID, 'x');
const optional = unionOf(integer, none);
const noValue = { scalar: { union: { type: none, value: { scalar: { noneType: {} } } } } };

describe('the inputs of a node', () => {
  it('have NONE for an optional input that is not bound', () => {
    const begun = begin(nodeOf('WORKFLOW', { x: integer, y: optional }, { x }));
    expect(begun).toMatchObject({ inputs: { x: one, y: noValue } });
  });

  it('are only those that are bound, for a launch plan, which has defaults for the others', () => {
    const begun = begin(nodeOf('LAUNCH_PLAN', { x: integer, y: optional, z: integer }, { x }));
    expect(begun).toMatchObject({ inputs: { x: one } });
    expect(Object.keys('inputs' in begun ? begun.inputs : {})).toEqual(['x']);
  });

  it('of an item of an array are given with it', () => {
    const given = { x: { scalar: { primitive: { integer: '7' } } } };
    expect(begin(nodeOf('WORKFLOW', { x: integer }, { x }), { given })).toMatchObject({ inputs: given });
  });
});

describe('a failure node', () => {
  const bound = { scalar: { error: { failedNodeId: 'other', message: 'another error' } } };

  it.each(['WORKFLOW', 'LAUNCH_PLAN'])('gets the error as its inputs that are errors: %s', (kind) => {
    const node = nodeOf(kind, { x: integer, err: error }, { x });
    expect(begin(node, { failure })).toMatchObject({
      inputs: { x: one, err: { scalar: { error: failure } } },
    });
  });

  it('keeps an error that is bound to its input', () => {
    const node = nodeOf('WORKFLOW', { err: error }, { err: { literal: bound } });
    expect(begin(node, { failure })).toMatchObject({ inputs: { err: bound } });
  });
});

describe('a gate that sleeps', () => {
  it.each([
    ['PT1H0.25S', '2026-01-01T01:00:00.250Z'],
    ['PT0S', '2026-01-01T00:00:00.000Z'],
  ])('for %s wakes at %s', (duration, wakeAt) => {
    const node = nodeOf('GATE', {}, {}, { gate: { sleep: { duration } } });
    expect(begin(node)).toMatchObject({ wakeAt: new Date(wakeAt) });
  });

  it('is the only one that wakes by itself', () => {
    const node = nodeOf('GATE', {}, {}, { gate: { approve: { signalId: 'go' } } });
    expect(begin(node)).not.toHaveProperty('wakeAt');
  });
});

describe('a branch', () => {
  const isOne = (value: string) => ({
    comparison: {
      operator: 'EQ',
      leftValue: { var: 'x' },
      rightValue: { literal: { scalar: { primitive: { integer: value } } } },
    },
  });
  const inner = (id: string) => ({ id });
  const branch = (ifElse: object) =>
    nodeOf(
      'BRANCH',
      { x: integer },
      { x },
      {
        branch: { ifElse },
        nodes: new Map(['first', 'second', 'other'].map((id) => [id, inner(id)])),
      },
    );
  const first = { condition: isOne('0'), thenNode: inner('first') };
  const second = { condition: isOne('1'), thenNode: inner('second') };

  it('takes the first case that holds, or else its other node', () => {
    const takenOf = (ifElse: object) => begin(branch(ifElse));
    expect(takenOf({ case: first, other: [second], elseNode: inner('other') })).toMatchObject({
      taken: { id: 'second' },
    });
    expect(takenOf({ case: second, other: [first] })).toMatchObject({ taken: { id: 'second' } });
    expect(takenOf({ case: first, other: [], elseNode: inner('other') })).toMatchObject({
      taken: { id: 'other' },
    });
  });

  it.each([
    [{ message: 'neither' }, 'neither'],
    [{ message: '' }, 'no case of the branch n holds'],
    [undefined, 'no case of the branch n holds'],
  ])('fails if nothing of this holds: %j', (own, message) => {
    expect(begin(branch({ case: first, other: [], error: own }))).toMatchObject({
      error: { code: 'UserProvidedError', message },
    });
  });
});

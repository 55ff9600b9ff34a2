import { describe, expect, it } from 'vitest';
import { referencedKeys } from '../../src/registry/domain/inner-nodes.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { faultsThrown } from './outcomes.ts';
import { aNode, keyOf, promise, value } from './workflows.ts';

/** A binding of a node, as it is read. */
const bindingOf = (binding: unknown) =>
  readWorkflowTemplate({ interface: {}, nodes: [aNode('a', 'tick', { x: binding })] }).nodes[0]?.inputs[0]
    ?.binding;

describe('readWorkflowTemplate', () => {
  it('reports all problems of form, and names nodes by id', () => {
    const template = {
      interface: {},
      metadata: { onFailure: 'PANIC' },
      nodes: [
        aNode('a', 'tick', { x: {} }, { metadata: { retries: 11, timeout: 'soon' } }),
        { id: 'b', taskNode: { referenceId: { ...keyOf('tick'), version: '' } }, inputs: 'none' },
        { taskNode: {} },
        aNode('c', 'tick', { x: promise('a', 'y', -1, 1.5, 0) }),
      ],
    };
    expect(faultsThrown(() => readWorkflowTemplate(template))).toEqual([
      'InvalidValue input.template.metadata.onFailure',
      'InvalidValue input.template.nodes.a.metadata.timeout',
      'InvalidValue input.template.nodes.a.metadata.retries',
      'ValueRequired input.template.nodes.a.inputs.x.binding',
      'InvalidValue input.template.nodes.b.inputs',
      'MissingField input.template.nodes.b.taskNode.referenceId.version',
      'MissingField input.template.nodes.2.taskNode.referenceId',
      'InvalidValue input.template.nodes.c.inputs.x.binding.promise.attrPath.0',
      'InvalidValue input.template.nodes.c.inputs.x.binding.promise.attrPath.1',
    ]);
  });

  it('accepts bindings that are nested 32 deep, and not deeper', () => {
    const nested = (levels: number): object =>
      levels === 1 ? value(1) : { collection: { bindings: [nested(levels - 1)] } };
    const read = (levels: number) =>
      readWorkflowTemplate({ interface: {}, nodes: [aNode('a', 'tick', { x: nested(levels) })] }, []);
    expect(read(32).nodes).toHaveLength(1);
    expect(faultsThrown(() => read(33))).toEqual([expect.stringMatching(/^InvalidValue nodes.a.inputs.x/)]);
  });

  it('reads a binding by its other kind when its value is null', () => {
    const rows = promise('load', 'rows');
    expect(bindingOf({ ...rows, value: null })).toEqual(rows);
  });

  it('lets null be bound as a value', () => {
    expect(bindingOf(value(null))).toEqual({ value: null });
  });

  it('refuses too many nodes before it checks one', () => {
    let looks = 0;
    const node = new Proxy(
      {},
      {
        get() {
          looks += 1;
          return undefined;
        },
      },
    );
    const nodes = Array.from({ length: 20_000 }, () => node);
    expect(faultsThrown(() => readWorkflowTemplate({ nodes }, [], 19_999))).toEqual(['InvalidValue nodes']);
    expect(faultsThrown(() => readSubWorkflows([{}, { template: { nodes } }], [], 19_999))).toEqual([
      'InvalidValue 1.template.nodes',
    ]);
    expect(looks).toBe(0);
  });
});

describe('referencedKeys', () => {
  it('names each task once, sorted', () => {
    const nodes = [aNode('a', 'tick'), aNode('b', 'load'), aNode('c', 'tick')];
    const template = readWorkflowTemplate({ interface: {}, nodes });
    expect(referencedKeys(template)).toEqual({
      tasks: [keyOf('load'), keyOf('tick')],
      subWorkflows: [],
      launchPlans: [],
    });
  });
});

import { describe, expect, it } from 'vitest';
import { indexClosure } from '../../src/registry/domain/closure.ts';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { entityKeyText } from '../../src/registry/domain/entity-keys.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { aNode, aTask, bindings, integer, keyOf, listOf, string, value, variables } from './workflows.ts';

interface Written {
  /** The metadata of the task. */
  readonly task?: object;
  /** More fields of the task. */
  readonly more?: object;
  /** The metadata of the node. */
  readonly node?: object;
  readonly overrides?: object;
  /** The defaults of the workflow. */
  readonly metadataDefaults?: object;
}

/** The node of a workflow, as it runs. */
function nodeOf({ task = {}, more = {}, node = {}, overrides, metadataDefaults }: Written) {
  const id = keyOf('tick');
  const template = compileTask({ type: 't', metadata: task, interface: {}, ...more });
  const taskNode = { referenceId: id, overrides };
  const nodes = [aNode('a', 'tick', {}, { metadata: node, taskNode })];
  const workflow = readWorkflowTemplate({ interface: {}, nodes, metadataDefaults });
  const closure = compileWorkflow(workflow, { tasks: [{ id, template }] });
  return indexClosure(closure, { tasks: { [entityKeyText(id)]: 'the id' }, launchPlans: {} }).nodes.get('a');
}

describe('a node of a workflow', () => {
  it.each([
    ['is not tried again, and has no time limit', {}, { retries: 0, timeoutSeconds: null }],
    [
      'is tried and limited as its task says',
      { task: { retries: 2, timeout: 'PT1M' } },
      { retries: 2, timeoutSeconds: 60 },
    ],
    [
      'is tried and limited as it says itself',
      { task: { retries: 2, timeout: 'PT1M' }, node: { retries: 0, timeout: 'PT2M' } },
      { retries: 0, timeoutSeconds: 120 },
    ],
    ['has a limit in whole seconds', { task: { timeout: 'PT0.1S' } }, { timeoutSeconds: 1 }],
    ['has no limit if it is zero', { task: { timeout: 'PT0S' } }, { timeoutSeconds: null }],
    ['is not cached', { task: { discoveryVersion: '1', cacheSerializable: true } }, { cache: null }],
    [
      'is cached as its task says',
      { task: { discoverable: true, discoveryVersion: '1', cacheIgnoreInputVars: ['x'] } },
      { cache: { version: '1', isSerializable: false, ignoredInputs: ['x'] } },
    ],
    [
      'is cached one at a time as its task says',
      { task: { discoverable: true, discoveryVersion: '1', cacheSerializable: true } },
      { cache: { version: '1', isSerializable: true, ignoredInputs: [] } },
    ],
    [
      'is cached as it says itself',
      {
        task: { discoverable: false, discoveryVersion: '1' },
        node: { cacheable: true, cacheVersion: '2', cacheSerializable: true },
      },
      { cache: { version: '2', isSerializable: true, ignoredInputs: [] } },
    ],
    [
      'is not cached if it says so',
      { task: { discoverable: true, discoveryVersion: '1' }, node: { cacheable: false } },
      { cache: null },
    ],
    ['cannot be interrupted', {}, { interruptible: false }],
    ['can be interrupted as its task says', { task: { interruptible: true } }, { interruptible: true }],
    [
      'can be interrupted as its workflow says, whatever its task says',
      { task: { interruptible: true }, metadataDefaults: { interruptible: false } },
      { interruptible: false },
    ],
    [
      'can be interrupted as it says itself, whatever its workflow says',
      { node: { interruptible: true }, metadataDefaults: { interruptible: false } },
      { interruptible: true },
    ],
  ] as [string, Written, object][])('%s', (_what, given, expected) => {
    expect(nodeOf(given)).toMatchObject({ taskId: 'the id', ...expected });
  });
});

describe('the overrides of a node', () => {
  const cpu = (value: string) => ({ requests: [{ name: 'CPU', value }], limits: [] });
  const container = { image: 'old', command: [], args: ['x'], env: [], resources: cpu('1') };
  const gpu = (device: string) => ({ gpuAccelerator: { device } });
  const extendedResources = gpu('t4');

  it.each([
    ['change nothing if there are none', undefined, {}],
    ['replace the image', { containerImage: 'new' }, { container: { ...container, image: 'new' } }],
    ['replace the resources', { resources: cpu('2') }, { container: { ...container, resources: cpu('2') } }],
    ['replace the GPU', { extendedResources: gpu('a100') }, { extendedResources: gpu('a100') }],
  ])('%s', (_what, overrides, expected) => {
    expect(nodeOf({ more: { container, extendedResources }, overrides })).toMatchObject({
      task: { template: { type: 't', container, extendedResources, ...expected } },
    });
  });

  it('do not make a container', () => {
    expect(nodeOf({ overrides: { containerImage: 'new' } })).toHaveProperty('task.template', {
      type: 't',
      metadata: {},
      interface: { inputs: {}, outputs: {} },
    });
  });
});

describe('a closure', () => {
  const cached = { discoverable: true, discoveryVersion: '1', cacheSerializable: true };
  const metadataOf = { tick: {}, slow: cached };
  const tasks = Object.entries(metadataOf).map(([name, metadata]) => ({
    id: keyOf(name),
    template: compileTask({ type: 't', metadata, interface: {} }),
  }));
  const launchPlans = [{ id: keyOf('plan'), expectedInputs: {}, expectedOutputs: {} }];
  const ids = {
    tasks: Object.fromEntries(tasks.map(({ id }) => [entityKeyText(id), id.name])),
    launchPlans: { [entityKeyText(keyOf('plan'))]: 'plan' },
  };
  const compiled = (written: object, inner: object = aNode('a', 'tick')) =>
    compileWorkflow(readWorkflowTemplate({ interface: {}, ...written }), {
      ...{ tasks, launchPlans },
      subWorkflows: readSubWorkflows([{ id: keyOf('inner'), template: { interface: {}, nodes: [inner] } }]),
    });
  const tick = aNode('tick', 'tick');
  const slow = aNode('slow', 'slow');
  const runs = (workflowNode: object) => ({ id: 'run', workflowNode });
  const array = (node: object) => ({ id: 'array', arrayNode: { node } });
  const branch = (thenNode: object) => {
    const comparison = { operator: 'EQ', leftValue: { value: 1 }, rightValue: { value: 2 } };
    return {
      id: 'branch',
      branchNode: { ifElse: { case: { condition: { comparison }, thenNode }, elseNode: tick } },
    };
  };

  it.each([
    ['has none', { nodes: [tick] }, false],
    ['has one', { nodes: [runs({ launchplanRef: keyOf('plan') })] }, true],
  ])('knows whether its nodes start executions: it %s', (_what, written, hasLaunchPlans) => {
    expect(indexClosure(compiled(written), ids).hasLaunchPlans).toBe(hasLaunchPlans);
  });

  it.each<[string, object, boolean, object?]>([
    ['a task without a cache', { nodes: [tick] }, false],
    ['a task with one', { nodes: [tick, slow] }, true],
    ['an array of a task without a cache', { nodes: [array(tick)] }, false],
    ['an array of a task with one', { nodes: [array(slow)] }, true],
    ['a branch without a cache', { nodes: [branch(aNode('other', 'tick'))] }, false],
    ['a branch with one', { nodes: [branch(slow)] }, true],
    ['a gate', { nodes: [{ id: 'g', gateNode: { approve: { signalId: 's' } } }] }, false],
    ['a failure node with a cache', { nodes: [tick], failureNode: slow }, true],
    ['a workflow without a cache', { nodes: [runs({ subWorkflowRef: keyOf('inner') })] }, false],
    ['a workflow with one', { nodes: [runs({ subWorkflowRef: keyOf('inner') })] }, true, slow],
  ])('knows whether a node may wait for the cache: %s', (_what, written, mayWait, inner) => {
    expect(indexClosure(compiled(written, inner), ids).hasSerializableCache).toBe(mayWait);
  });

  it.each([
    ['a task', { nodes: [tick] }, 'the closure lacks the task of node tick'],
    [
      'a launch plan',
      { nodes: [runs({ launchplanRef: keyOf('plan') })] },
      'the closure lacks the launch plan of node run',
    ],
  ])('cannot run if the registered version of %s is gone', (_what, written, message) => {
    const closure = compiled(written);
    expect(() => indexClosure(closure, { tasks: {}, launchPlans: {} })).toThrow(message);
  });

  it.each([
    ['a node', { nodes: [tick] }, 'what node tick refers to'],
    ['a node inside of another', { nodes: [branch(slow)] }, 'what node branch refers to'],
    ['a failure node', { nodes: [runs({ launchplanRef: keyOf('plan') })], failureNode: slow }, 'node slow'],
  ])('cannot run without the task of %s', (_what, written, message) => {
    const closure = compiled(written);
    expect(() => indexClosure({ ...closure, tasks: [] }, ids)).toThrow(message);
  });

  it('gives the inner node of an array single items, also if the interface has lists', () => {
    const numbers = { x: listOf(integer), unit: string };
    const id = keyOf('lists');
    const task = { id, template: aTask('lists', numbers, { y: listOf(integer) }).template };
    const inputs = bindings({ x: value([1]), unit: value('m') });
    const itemOf = (more: object) => {
      const nodes = [{ id: 'all', inputs, arrayNode: { node: aNode('item', 'lists'), ...more } }];
      const closure = compileWorkflow(readWorkflowTemplate({ interface: {}, nodes }), { tasks: [task] });
      return indexClosure(closure, { tasks: { [entityKeyText(id)]: 'lists' }, launchPlans: {} }).nodes.get(
        'all',
      );
    };
    expect(itemOf({ isOriginalSubNodeInterface: false, boundInputs: ['unit'] })).toMatchObject({
      inputTypes: variables(numbers),
      outputs: variables({ y: listOf(integer) }),
      item: { inputTypes: variables({ x: integer, unit: string }), outputs: variables({ y: integer }) },
    });
  });
});

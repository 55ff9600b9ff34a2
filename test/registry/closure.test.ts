import { describe, expect, it } from 'vitest';
import { indexClosure } from '../../src/registry/domain/closure.ts';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { entityKeyText } from '../../src/registry/domain/entity-keys.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { aNode, keyOf } from './workflows.ts';

/** The node of a workflow, as it runs. */
function nodeOf({ task = {}, node = {} }: { task?: object; node?: object }) {
  const id = keyOf('tick');
  const template = compileTask({ type: 't', metadata: task, interface: {} });
  const written = { interface: {}, nodes: [aNode('a', 'tick', {}, { metadata: node })] };
  const closure = compileWorkflow(readWorkflowTemplate(written), { tasks: [{ id, template }] });
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
      { task: { discoverable: true, discoveryVersion: '1', cacheIgnoreInputVars: [] } },
      { cache: { version: '1', isSerializable: false, ignoredInputs: [] } },
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
  ])('%s', (_what, given, expected) => {
    expect(nodeOf(given)).toMatchObject({ taskId: 'the id', ...expected });
  });
});

/** Workflows that come along with a registration: how many there may be, and which may run each other. */
import { describe, expect, it } from 'vitest';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { readSubWorkflows, readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { faultsThrown, messagesThrown } from './outcomes.ts';
import { aNode, aTask, keyOf } from './workflows.ts';

const runs = (name: string) => ({ id: name, workflowNode: { subWorkflowRef: keyOf(name) } });
const workflow = (name: string, ...nodes: object[]) => ({
  id: keyOf(name),
  template: { interface: {}, nodes: [aNode('tick', 'tick'), ...nodes] },
});
const compile = (...along: object[]) =>
  compileWorkflow(
    readWorkflowTemplate({ interface: {}, nodes: [aNode('tick', 'tick')] }),
    { tasks: [aTask('tick')], subWorkflows: readSubWorkflows(along) },
    { subWorkflowsPath: ['along'] },
  );

describe('the workflows that come along', () => {
  it('are at most 100', () => {
    const some = (length: number) => Array.from({ length }, (_, index) => workflow(`w${index}`));
    expect(readSubWorkflows(some(100))).toHaveLength(100);
    expect(messagesThrown(() => readSubWorkflows(some(101)))).toEqual([
      'a registration must have at most 100 further workflows, got 101',
    ]);
  });

  it('are a list', () => {
    expect(faultsThrown(() => readSubWorkflows('many'))).toEqual(['InvalidValue input.subWorkflows']);
  });

  it('are compiled in the order of their keys', () => {
    const closure = compile(workflow('b'), workflow('c'), workflow('a', runs('b')));
    expect(closure.subWorkflows?.map(({ id }) => id.name)).toEqual(['a', 'b', 'c']);
  });

  it('have different keys', () => {
    expect(faultsThrown(() => compile(workflow('a'), workflow('b'), workflow('a')))).toEqual([
      'DuplicateId along.2.id',
    ]);
  });

  it('do not run each other in a cycle, which is named by its first workflow', () => {
    const act = () =>
      compile(workflow('d'), workflow('c', runs('a')), workflow('b', runs('c')), workflow('a', runs('b')));
    expect(faultsThrown(act)).toEqual(['CycleDetected along.3']);
    expect(messagesThrown(act)).toEqual(['these workflows run themselves or each other: a, b, c']);
  });

  it('are 20 in the text about a cycle of more', () => {
    const name = (index: number) => `w${String(index).padStart(2, '0')}`;
    const ring = Array.from({ length: 21 }, (_, index) =>
      workflow(name(index), runs(name((index + 1) % 21))),
    );
    expect(messagesThrown(() => compile(...ring))).toEqual([expect.stringMatching(/: w00, .*, w19$/)]);
  });

  it('may run a workflow that is missing, which is then the only problem', () => {
    expect(faultsThrown(() => compile(workflow('a', runs('gone'))))).toEqual([
      'WorkflowReferenceNotFound along.0.template.nodes.gone.workflowNode.subWorkflowRef',
    ]);
  });
});

/**
 * How long the compiler takes for a workflow of 1,000 nodes, each of which waits for two others. It measures CPU time,
 * from the input to the digest. The goal is below one second.
 */
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { digestOf } from '../../src/registry/domain/digest.ts';
import { graphEdgesOf, graphNodesOf } from '../../src/registry/domain/graph-nodes.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';

const NODES = 1000;
const RUNS = 10;

const key = { project: 'p', domain: 'd', name: 'double', version: 'v1' };
const integer = { simple: 'INTEGER' };
const types = (name: string) => ({ [name]: { type: integer } });
const task = {
  id: key,
  template: compileTask({
    type: 'container',
    metadata: {},
    interface: { inputs: types('x'), outputs: types('y') },
    container: { image: 'a', command: ['b'] },
  }),
};
const input = {
  interface: { inputs: types('x'), outputs: types('z') },
  nodes: Array.from({ length: NODES }, (_, at) => ({
    id: `n${at}`,
    inputs: [
      {
        var: 'x',
        binding: { promise: at < 10 ? { nodeId: '', var: 'x' } : { nodeId: `n${at - 10}`, var: 'y' } },
      },
    ],
    upstreamNodeIds: at < 10 ? [] : [`n${at - 9}`],
    taskNode: { referenceId: key },
  })),
  outputs: [{ var: 'z', binding: { promise: { nodeId: `n${NODES - 1}`, var: 'y' } } }],
};

function milliseconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const compile = () => compileWorkflow(readWorkflowTemplate(input), { tasks: [task] });

export function measureCompiler(): void {
  const closure = compile();
  const measures: Readonly<Record<string, () => unknown>> = {
    compile,
    digest: () => digestOf(closure),
    graph: () => [graphNodesOf(closure.primary), graphEdgesOf(closure.primary)],
  };
  for (const [name, work] of Object.entries(measures)) {
    const taken = Array.from({ length: RUNS }, () => milliseconds(work)).sort((one, other) => one - other);
    const [least = 0, most = 0] = [taken[0], taken.at(-1)];
    process.stdout.write(`${name} of ${NODES} nodes: ${least.toFixed(0)} to ${most.toFixed(0)} ms of CPU\n`);
  }
}

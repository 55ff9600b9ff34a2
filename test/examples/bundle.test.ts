import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bundleSteps } from '../../examples/penguins/bundle.ts';
import { readDataSet, withCopiedFlippers } from '../../examples/penguins/data-set.ts';
import type { Binding } from '../../examples/penguins/documents.ts';
import type { Line } from '../../examples/penguins/steps/clean.ts';
import { documents, type PenguinInputs } from '../../examples/penguins/workflow.ts';
import type { RunOutcome } from '../../src/executor/host/runtime.ts';
import { command, createRoot, FolderBlobs, finish } from '../executor/fixture.ts';
import { compilePenguins } from './compile-penguins.ts';

type Values = Record<string, unknown>;

/** Runs the compiled workflow node by node in the runtime of executors, with a folder in place of the server. */
async function runWorkflow(inputs: PenguinInputs = {}, lines: readonly Line[] = readDataSet()) {
  const { tasks } = compilePenguins();
  const blobs = new FolderBlobs(await createRoot());
  await mkdir(blobs.folder, { recursive: true });
  await writeFile(blobs.path('slipway://blobs/code'), await bundleSteps());
  await writeFile(blobs.path('slipway://blobs/data'), JSON.stringify(lines));
  const given = { code: 'slipway://blobs/code', data: 'slipway://blobs/data' };
  const done = new Map<string, Values>([
    ['', { ...documents.launchPlan.defaultInputs, ...inputs, ...given }],
  ]);
  const failed = new Map<string, RunOutcome>();

  const boundValue = (binding: Binding): unknown => {
    if ('value' in binding) return binding.value;
    if ('collection' in binding) return binding.collection.map(boundValue);
    const outputs = done.get(binding.promise.nodeId);
    if (!outputs) throw new Error(`${binding.promise.nodeId} has not run`);
    return outputs[binding.promise.var];
  };
  const valuesOf = (list: readonly { var: string; binding: Binding }[]) =>
    Object.fromEntries(list.map((one) => [one.var, boundValue(one.binding)]));

  for (const node of documents.workflow.template.nodes) {
    const task = tasks.find(({ id }) => id.name === node.taskNode.referenceId.name);
    if (!task?.template.container) throw new Error(`${node.id} has no container`);
    const { container, interface: signature } = task.template;
    const run = command([...container.command], {
      container: { ...container, command: [...container.command], args: [...container.args], env: [] },
      interface: signature,
      inputs: valuesOf(node.inputs),
    });
    const { outcome } = await finish(run, { blobs });
    if (outcome.kind !== 'SUCCEEDED') {
      failed.set(node.id, outcome);
      break;
    }
    done.set(node.id, outcome.outputs);
  }
  return {
    failed,
    outputs:
      failed.size > 0 ? {} : (valuesOf(documents.workflow.template.outputs) as Record<string, unknown>),
    read: (uri: unknown) => readFile(blobs.path(String(uri)), 'utf8'),
  };
}

describe('the bundle of all steps', () => {
  it('has the same bytes each time, and contains no path of this machine', async () => {
    const [one, other] = [await bundleSteps(), await bundleSteps()];
    expect(Buffer.from(one).equals(Buffer.from(other))).toBe(true);
    expect(Buffer.from(one).toString()).not.toContain(process.cwd());
  });

  it('runs from the data set to the report as an executor runs it', async () => {
    const { failed, outputs, read } = await runWorkflow();
    expect([...failed]).toEqual([]);
    expect(outputs['accuracy']).toBeGreaterThan(0.92);
    expect(outputs['baseline']).toBeLessThan(0.6);
    expect(Object.keys(outputs['scores'] as object)).toContain(outputs['best']);
    expect(await read(outputs['report'])).toContain('# Which penguin is it?');
  });

  it('fails with one sentence when the data is wrong', async () => {
    const { failed } = await runWorkflow({}, withCopiedFlippers(readDataSet()));
    expect([...failed.keys()]).toEqual(['train-naive-bayes']);
    expect(failed.get('train-naive-bayes')).toMatchObject({
      kind: 'FAILED',
      exitCode: 1,
      error: { kind: 'USER', message: expect.stringMatching(/^flipperLengthMm is the same .* varies$/) },
    });
  });
});

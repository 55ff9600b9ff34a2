/**
 * The demo's workflow on a real Slurm with two nodes: each node of the workflow is a job of Slurm. In the middle,
 * slurmctld and the executor are killed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SlipwayClient } from '../../examples/penguins/client.ts';
import { documents, launchPenguins, registerPenguins } from '../../examples/penguins/workflow.ts';
import { isAlive } from '../executor/fixture.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { ExecutorProcess } from '../support/executor-process.ts';
import { needs } from '../support/require.ts';
import {
  eventually,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { Slurm } from '../support/slurm.ts';

describe.runIf(needs('slurm', 'the demo on a real Slurm'))('the demo on Slurm', () => {
  let app: App;
  let slurm: Slurm;
  let executor: ExecutorProcess;
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-slurm-demo-'));

  beforeAll(async () => {
    [app, slurm] = await Promise.all([startApp(), Slurm.start()]);
    executor = new ExecutorProcess(app, {
      SLIPWAY_EXECUTOR_RUNTIME: 'slurm',
      SLURM_URL: slurm.url,
      SLURM_USER: 'root',
      SLURM_TOKEN_FILE: slurm.tokenFile,
      SLURM_SHARED_DIR: slurm.shared,
      SLURM_PARTITION: 'main',
      SLIPWAY_EXECUTOR_PATH: process.env['PATH'],
    });
    executor.start();
  });
  afterAll(async () => {
    await executor?.remove();
    await app?.stop();
    await slurm?.stop();
    rmSync(scratch, { recursive: true });
  });

  it('succeeds although slurmctld and the executor are killed in the middle, and starts nothing twice', async () => {
    const client = new SlipwayClient(app.url, app.admin);
    await registerPenguins(client);
    const { id } = await launchPenguins(client, { pauseSeconds: 2 });
    await eventually(
      () => readExecution(app, id),
      ({ nodes }) => nodes['train-decision-tree']?.phase === 'RUNNING',
    );
    await slurm.killController();
    await executor.kill();
    executor.start();
    slurm.startController();
    const execution = await untilEnded(app, id);
    expect(execution.phase, executor.said() + slurm.said()).toBe('SUCCEEDED');
    expect(execution.data.outputs.accuracy).toBeGreaterThan(0.92);
    for (const { id: node } of documents.workflow.template.nodes) {
      const { taskExecutions } = execution.nodes[node];
      expect(taskExecutions.edges.map((edge: Answer) => edge.node.phase)).toEqual(['SUCCEEDED']);
      // A run that the executor had got but not begun when it was killed is returned, and the job waits again.
      const { attemptedRuns, runs } = taskExecutions.edges[0].node.job;
      const states = runs
        .map((run: Answer) => run.state)
        .filter((state: string) => state !== 'LEASE_RETURNED');
      expect({ attemptedRuns, states }).toEqual({ attemptedRuns: 0, states: ['SUCCEEDED'] });
    }
    expect(executor.said()).toContain('found the runs of an earlier executor');
  });

  it('leaves jobs alone when the executor is stopped in order, and ends the job of an execution that is terminated', async () => {
    const note = join(scratch, 'pid');
    await registerProject(app, 'slurm');
    const command = ['/bin/sh', '-c', `echo $$ > ${note}; exec sleep 600`];
    await registerTask(app, 'slurm', 'long', { command });
    await registerWorkflow(app, 'slurm', 'long', { a: [] }, { task: 'long' });
    const id = await launch(app, 'slurm', 'long');
    await eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes.a?.phase === 'RUNNING' && existsSync(note),
    );
    const pid = Number(readFileSync(note, 'utf8'));
    await executor.stop();
    expect(isAlive(pid)).toBe(true);
    executor.start();
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );
    const execution = await untilEnded(app, id);
    expect([execution.phase, isAlive(pid)]).toEqual(['ABORTED', false]);
    await slurm.untilNoJobs();
  });
});

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SlipwayClient } from '../../examples/penguins/client.ts';
import { documents, launchPenguins, registerPenguins } from '../../examples/penguins/workflow.ts';
import { isAlive } from '../executor/fixture.ts';
import type { Answer } from '../support/app.ts';
import { eventually, readExecution, untilEnded } from '../support/seed.ts';
import { type ProcessName, startTree, type Tree } from '../support/tree.ts';

/**
 * Each process of the tree is killed with SIGKILL in the middle of the demo's workflow. It starts again by itself, the
 * execution still SUCCEEDS with the same result as without the kill, and no node's work is recorded twice.
 */

const nodeIds = documents.workflow.template.nodes.map((node) => node.id).sort();
let tree: Tree;
let undisturbed: Answer;

const client = () => new SlipwayClient(tree.url, tree.admin);

beforeAll(async () => {
  tree = await startTree({ LEASE_SECONDS: '5', DRAIN_SECONDS: '5' });
  await registerPenguins(client());
  const { id } = await launchPenguins(client());
  undisturbed = await untilEnded(tree, id);
  expect(undisturbed.phase).toBe('SUCCEEDED');
});
afterAll(() => tree.stop());

/** Launches it with slow steps, and waits until models are being trained. @returns the id of the execution. */
async function launchHalfWay(): Promise<string> {
  const { id } = await launchPenguins(client(), { pauseSeconds: 0.5 });
  await eventually(
    () => readExecution(tree, id),
    ({ nodes }) => nodes['train-decision-tree']?.phase === 'RUNNING',
  );
  return id;
}

function kill(name: ProcessName): number {
  const pid = tree.processes()[name];
  if (pid === null) throw new Error(`there is no ${name}`);
  process.kill(pid, 'SIGKILL');
  return pid;
}

async function isBack(name: ProcessName, killed: number): Promise<void> {
  await eventually(
    async () => tree.processes()[name],
    (pid) => pid !== null && pid !== killed,
  );
}

async function expectDoneOnce(id: string): Promise<void> {
  const execution = await untilEnded(tree, id);
  expect(execution.phase).toBe('SUCCEEDED');
  // Equal content is the same file, so equal outputs have equal URIs.
  expect(execution.data.outputs).toEqual(undisturbed.data.outputs);
  expect(Object.keys(execution.nodes).sort()).toEqual(nodeIds);
  for (const node of nodeIds) {
    const { latestAttempt, taskExecutions } = execution.nodes[node];
    expect(latestAttempt).toBe(0);
    expect(taskExecutions.edges.map((edge: Answer) => edge.node.phase)).toEqual(['SUCCEEDED']);
    const { runs, state } = taskExecutions.edges[0].node.job;
    expect(state).toBe('SUCCEEDED');
    expect(runs.filter((run: Answer) => run.state === 'SUCCEEDED')).toHaveLength(1);
  }
  await expectRecordedOnce(id);
}

async function expectRecordedOnce(id: string): Promise<void> {
  const events = await tree.query(
    'select sequence::int, kind, phase, node_id from execution_events where execution_id = $1 order by sequence',
    [id],
  );
  expect(events.map((event) => event['sequence'])).toEqual(events.map((_, index) => index + 1));
  const ends = events
    .filter((event) => event['phase'] === 'SUCCEEDED')
    .map(({ kind, node_id }) => `${kind} ${node_id}`);
  expect(ends.sort()).toEqual([
    'EXECUTION null',
    ...nodeIds.map((node) => `NODE ${node}`),
    ...nodeIds.map((node) => `TASK ${node}`),
  ]);
  const jobEvents = await tree.query(
    `select event.sequence::int, event.kind from job_events as event join job_sets as set on set.id = event.job_set_id
      where set.owner_id = $1 order by event.sequence`,
    [id],
  );
  expect(jobEvents.map((event) => event['sequence'])).toEqual(jobEvents.map((_, index) => index + 1));
  expect(jobEvents.filter((event) => event['kind'] === 'SUCCEEDED')).toHaveLength(nodeIds.length);
  expect(await tree.query('select id from job_runs where ended_at is null')).toEqual([]);
}

describe('a workflow goes on, and no work is recorded twice, after kill -9 of', () => {
  it.each(['executor', 'scheduler', 'server', 'postgres'] as const)('the %s', async (name) => {
    const id = await launchHalfWay();
    const killed = kill(name);
    await isBack(name, killed);
    await expectDoneOnce(id);
  });

  it('the supervisor, whose next start continues with the same data', async () => {
    const before = tree.processes();
    const id = await launchHalfWay();
    kill('supervisor');
    await tree.startAgain();
    await expectDoneOnce(id);
    for (const name of ['postgres', 'server', 'scheduler', 'executor'] as const) {
      await eventually(
        async () => isAlive(Number(before[name])),
        (alive) => !alive,
      );
    }
  });
});

describe('the processes of a tree', () => {
  it.runIf(process.platform === 'linux')('give the executor nothing that opens the database', async () => {
    const { executor, server } = tree.processes();
    const environmentOf = (pid: number | null) => readFileSync(`/proc/${pid}/environ`, 'utf8');
    expect(environmentOf(server)).toMatch(/DATABASE_URL=.*SLIPWAY_SECRETS=/s);
    expect(environmentOf(executor)).not.toMatch(/DATABASE_URL|SLIPWAY_SECRETS/);
  });

  it('print the address once, in one block', () => {
    expect(tree.said()).toMatch(/Sign in as admin with this password/);
    expect(tree.said()).toMatch(/Slipway is ready\.\n\n {4}GraphiQL {2}http:\/\/127\.0\.0\.1:\d+\/graphql\n/);
  });
});

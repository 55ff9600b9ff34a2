/** What nodes that contain others give, and when a node that sleeps wakes. The test runs the turns itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { bind, doubleIn, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { integer, keyOf, launch, readExecution, registerProject, registerTask } from '../support/seed.ts';

const project = 'inner-values';
const double = doubleIn(project);
let app: App;
let hands: Hands;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'divide', { outputs: { y: integer, rest: integer } });
});
afterAll(() => app.stop());

async function turns(id: string, now?: Date): Promise<void> {
  for (let count = 0; await advanceExecution(id, now); count += 1) expect(count).toBeLessThan(20);
}

/** Lets the one job of an execution succeed. */
async function finish(id: string, outputs: object): Promise<void> {
  await turns(id);
  const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id } });
  const before = await hands.lease({ wait: 'PT0S' });
  await assignPool({ tenantId, name: 'default' }, 30);
  const [run] = [...before.runs, ...(await hands.lease({ wait: 'PT0S' })).runs];
  if (!run) throw new Error('the execution has no run');
  await hands.start(run);
  await hands.succeed(run, outputs);
  await turns(id);
}

describe('a node that runs a workflow', () => {
  it('gives an input of the workflow, if an output is bound to it', async () => {
    const inner = {
      ...{ inputs: { x: integer }, outputs: { same: integer, y: integer } },
      bound: { same: promise('', 'x'), y: promise('work', 'y') },
      nodes: [double('work', promise('', 'x'))],
    };
    const sub = {
      id: 'sub',
      inputs: bind({ x: promise('', 'x') }),
      workflowNode: { subWorkflowRef: keyOf(project, 'inner') },
    };
    await registerFlow(app, project, 'outer', { inputs: { x: integer }, nodes: [sub] }, { inner });
    const id = await launch(app, project, 'outer', { inputs: { x: 7 } });
    await finish(id, { y: 14 });
    expect((await readExecution(app, id)).nodes.sub.data.outputs).toEqual({ same: 7, y: 14 });
  });
});

describe('a branch', () => {
  it('gives only the outputs that all of its nodes have', async () => {
    const isOne = { comparison: { operator: 'EQ', leftValue: { var: 'x' }, rightValue: { value: 1 } } };
    const divide = {
      inputs: bind({ x: promise('', 'x') }),
      taskNode: { referenceId: keyOf(project, 'divide') },
    };
    const branch = {
      case: { condition: isOne, thenNode: double('yes', promise('', 'x')) },
      elseNode: { id: 'no', ...divide },
    };
    const choice = { id: 'choice', inputs: bind({ x: promise('', 'x') }), branchNode: { ifElse: branch } };
    await registerFlow(app, project, 'choose', { inputs: { x: integer }, nodes: [choice] });
    const id = await launch(app, project, 'choose', { inputs: { x: 2 } });
    await finish(id, { y: 4, rest: 1 });
    const { phase, nodes } = await readExecution(app, id);
    expect(phase).toBe('SUCCEEDED');
    expect(nodes.choice.data.outputs).toEqual({ y: 4 });
  });
});

describe('a gate that sleeps', () => {
  it('wakes when its time is over, and not before', async () => {
    const nodes = [{ id: 'nap', gateNode: { sleep: { duration: 'PT1H' } } }];
    await registerFlow(app, project, 'sleepy', { nodes });
    const id = await launch(app, project, 'sleepy');
    const start = new Date('2100-01-01T00:00:00Z');
    const later = (milliseconds: number) => new Date(start.getTime() + milliseconds);
    const phaseOf = async () => (await readExecution(app, id)).nodes.nap.phase;
    await turns(id, start);
    const { advanceAt } = await db.execution.findUniqueOrThrow({ where: { id } });
    expect(advanceAt).toEqual(later(3_600_000));
    await turns(id, later(3_599_999));
    expect(await phaseOf()).toBe('RUNNING');
    await turns(id, later(3_600_000));
    expect(await phaseOf()).toBe('SUCCEEDED');
  });
});

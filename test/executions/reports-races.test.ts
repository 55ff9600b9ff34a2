/** Reports of engines from outside in any order and at any moment, also when the server is killed in between. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { startSecondServer } from '../support/second-server.ts';
import { eventually } from '../support/waiting.ts';
import { at, ReportsStage, rowsOf } from './reports-stage.ts';

let app: App;
let stage: ReportsStage;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await ReportsStage.open(app, 'races');
});
afterAll(() => app.stop());

const named = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

/** Every event has its number, and the execution knows the last one. */
function expectNoGap({ events, execution }: Awaited<ReturnType<typeof rowsOf>>): void {
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  expect(execution).toMatchObject([{ last: events.length }]);
}

describe('many reports at the same time', () => {
  it('about one execution, while its nodes and itself move: each that is accepted has one event', async () => {
    const nodes = named(12);
    const id = await stage.execution(...nodes);
    const phases = ['QUEUED', 'RUNNING', 'SUCCEEDED'];
    const reports = nodes.flatMap((nodeId) =>
      phases.map(async (phase) => ({ nodeId, phase, answer: await stage.report(id, nodeId, { phase }) })),
    );
    const others = nodes.flatMap((nodeId) => [
      stage.node(id, nodeId, { phase: 'DYNAMIC_RUNNING' }),
      stage.node(id, `${nodeId}-new`),
    ]);
    const moved = stage.workflow(id, 'RUNNING');
    const answers = await Promise.all(reports);
    for (const other of [...(await Promise.all(others)), await moved])
      expect(other).toMatchObject({ __typename: expect.stringMatching(/Payload$/) });
    const rows = await rowsOf(id);
    expectNoGap(rows);
    const accepted = answers.filter(({ answer }) => answer.code === undefined);
    for (const { answer } of answers)
      expect([undefined, 'FAILED_PRECONDITION', 'ALREADY_EXISTS']).toContain(answer.code);
    const recorded = rows.events.filter(({ kind }) => kind === 'TASK');
    expect(recorded.map(({ node_id, phase }) => `${node_id} ${phase}`).sort()).toEqual(
      accepted.map(({ nodeId, phase }) => `${nodeId} ${phase}`).sort(),
    );
    expect(rows.attempts.map(({ task }) => task.phase)).toEqual(nodes.map(() => 'SUCCEEDED'));
  });

  it('about many executions: none waits in a circle, none is lost', async () => {
    const nodes = named(3);
    const ids = await Promise.all(named(8).map(() => stage.execution(...nodes)));
    const order = ids.flatMap((id, turn) =>
      (turn % 2 ? nodes : nodes.toReversed()).map((nodeId) => [id, nodeId] as const),
    );
    const answers = await Promise.all(
      [...order, ...order.toReversed()].map(([id, nodeId], index) =>
        stage.report(id, nodeId, { phase: index < order.length ? 'RUNNING' : 'INITIALIZING' }),
      ),
    );
    expect(answers.map(({ phase }) => phase)).toEqual([
      ...order.map(() => 'RUNNING'),
      ...order.map(() => 'INITIALIZING'),
    ]);
    for (const id of ids) {
      const rows = await rowsOf(id);
      expectNoGap(rows);
      expect(rows.events.filter(({ kind }) => kind === 'TASK')).toHaveLength(2 * nodes.length);
    }
  });
});

interface Report {
  readonly nodeId: string;
  readonly retryAttempt: number;
  readonly phase: string;
  readonly phaseVersion: number;
}

/** What attempts are after some reports, by Flyte's rules and written anew: the phase and the version of each. */
function play(reports: readonly Report[]) {
  const attempts = new Map<number, { phase: string; version: number }>();
  const codes = reports.map(({ retryAttempt, phase, phaseVersion }) => {
    const known = attempts.get(retryAttempt);
    if (known?.phase === phase && phaseVersion <= known.version) return 'ALREADY_EXISTS';
    if (known && ['SUCCEEDED', 'FAILED', 'ABORTED'].includes(known.phase)) return 'FAILED_PRECONDITION';
    attempts.set(retryAttempt, { phase, version: phaseVersion });
    return undefined;
  });
  return { codes, attempts: [...attempts].sort(([one], [other]) => one - other) };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
  );
}

describe('any mix of reports at the same time', () => {
  const report = fc.record({
    nodeId: fc.constantFrom('n0', 'n1', 'n2'),
    retryAttempt: fc.constantFrom(0, 0, 1),
    phase: fc.constantFrom('QUEUED', 'RUNNING', 'SUCCEEDED'),
    phaseVersion: fc.constantFrom(0, 1, 2),
  });

  it('has the answers and the end of the same reports one after the other, in some order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(report, { minLength: 2, maxLength: 12 }), async (reports) => {
        const nodes = named(3);
        // Five reports have few enough orders to try them all.
        const few = nodes.flatMap((nodeId) => reports.filter((one) => one.nodeId === nodeId).slice(0, 5));
        const id = await stage.execution(...nodes);
        const answers = await Promise.all(few.map(({ nodeId, ...event }) => stage.report(id, nodeId, event)));
        const rows = await rowsOf(id);
        expectNoGap(rows);
        for (const nodeId of nodes) {
          const ofNode = few.flatMap((one, index) => (one.nodeId === nodeId ? [{ one, index }] : []));
          const outcome = {
            codes: ofNode.map(({ index }) => answers[index].code),
            attempts: rows.attempts
              .filter(({ node_id }) => node_id === nodeId)
              .map(({ task }) => [task.retry_attempt, { phase: task.phase, version: task.phase_version }]),
          };
          const possible = permutations(ofNode.map((_, position) => position)).map((order) => {
            const { codes, attempts } = play(order.map((position) => ofNode[position]?.one as Report));
            return { codes: ofNode.map((_, position) => codes[order.indexOf(position)]), attempts };
          });
          expect(possible).toContainEqual(outcome);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('a server that is killed while reports are applied', () => {
  it('has lost nothing that it has answered', async () => {
    const nodes = named(40);
    const id = await stage.execution(...nodes);
    for (const nodeId of nodes) await stage.report(id, nodeId, { phase: 'QUEUED' });
    const server = await startSecondServer();
    onTestFinished(() => server.kill());
    const other = {
      async ask(query: string, variables = {}): Promise<Answer> {
        const response = await fetch(`${server.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: app.admin },
          body: JSON.stringify({ query, variables }),
        });
        return await response.json();
      },
    };
    const answered: string[] = [];
    const engines = nodes.map(async (nodeId) => {
      for (let version = 0; ; version += 1) {
        const phase = version % 2 === 0 ? 'RUNNING' : 'INITIALIZING';
        const answer = await stage.report(id, nodeId, { phase, occurredAt: at }, other);
        expect(answer).toMatchObject({ phase });
        answered.push(`${nodeId} ${phase}`);
      }
    });
    const ends = Promise.allSettled(engines);
    await eventually(
      () => answered.length,
      (count) => count > 3 * nodes.length,
    );
    await server.kill();
    for (const end of await ends)
      expect(end).toMatchObject({ status: 'rejected', reason: expect.any(TypeError) });
    const rows = await rowsOf(id);
    expectNoGap(rows);
    for (const nodeId of nodes) {
      const isOf = (text: string) => text.startsWith(`${nodeId} `);
      const recorded = rows.events
        .filter(({ kind, phase }) => kind === 'TASK' && phase !== 'QUEUED')
        .map(({ node_id, phase }) => `${node_id} ${phase}`)
        .filter(isOf);
      const told = answered.filter(isOf);
      // One more may be stored whose answer did not arrive.
      expect(recorded.slice(0, told.length)).toEqual(told);
      expect(recorded.length - told.length).toBeLessThanOrEqual(1);
      const attempt = rows.attempts.find(({ node_id }) => node_id === nodeId);
      expect(`${nodeId} ${attempt?.task.phase}`).toBe(recorded.at(-1) ?? `${nodeId} QUEUED`);
    }
  });
});

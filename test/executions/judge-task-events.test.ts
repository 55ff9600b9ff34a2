import { describe, expect, it } from 'vitest';
import { judgeTaskEvents } from '../../src/executions/commands/judge-task-events.ts';
import { MAX_TURN_BYTES, MAX_TURN_STEPS } from '../../src/executions/domain/limits.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';

const type = { collectionType: { simple: 'INTEGER' } } as const;
const taskNode = { kind: 'TASK', retries: 0, outputs: { y: { type } } };

/** Checks the reports of three nodes in one turn. Each report has a list with this many items. */
function judge(items: number, outputLimitBytes = 1_000) {
  const ids = ['a', 'b', 'c'];
  const closure = { nodes: new Map(ids.map((id) => [id, taskNode])) };
  const nodes = ids.map((id) => ({ id, nodeId: id }));
  const events = ids.map((id) => ({
    ...{ nodeExecutionId: id, attempt: 0, phase: 'SUCCEEDED', at: new Date(), reason: null, error: null },
    outputs: { y: Array(items).fill(1) },
  }));
  return inTransaction((tx) =>
    judgeTaskEvents(tx, {} as never, closure as never, nodes as never, events as never, outputLimitBytes),
  );
}

describe('one turn', () => {
  it('checks a limited amount of outputs, counting those that it refuses', async () => {
    const { judged, taken } = await judge(MAX_TURN_STEPS);
    expect(judged.map(({ outcome }) => outcome.error?.code)).toEqual(['OutputsTooLarge']);
    expect(taken).toBe(1);
  });

  it('checks outputs as long as the ones before took at most 250,000 steps', async () => {
    const stepsOf = async (items: number) => (await judge(items)).judged[0]?.outcome.steps ?? 0;
    const rest = (await stepsOf(10)) - 10;
    const takenAfter = async (steps: number) => (await judge(steps - rest)).taken;
    expect(await stepsOf(250_000 - rest)).toBe(250_000);
    expect(await takenAfter(250_000)).toBe(2);
    expect(await takenAfter(250_001)).toBe(1);
  });

  it('checks outputs that are larger than a turn handles, alone', async () => {
    const { judged, taken } = await judge(420_000, 1_000_000_000);
    expect(judged.map(({ outcome }) => outcome.phase)).toEqual(['SUCCEEDED']);
    expect(judged[0]?.outcome.outputBytes).toBeGreaterThan(MAX_TURN_BYTES);
    expect(taken).toBe(1);
  });

  it('checks all small outputs together', async () => {
    const { judged, taken } = await judge(5);
    expect(judged.map(({ outcome }) => outcome.phase)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(taken).toBe(3);
  });
});

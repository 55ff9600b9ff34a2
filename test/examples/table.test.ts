import { describe, expect, it, vi } from 'vitest';
import type { NodeEvent } from '../../examples/penguins/follow.ts';
import { NodeTable } from '../../examples/penguins/table.ts';
import { stopClocks } from '../support/clock.ts';

const screen = (isTTY: boolean) => {
  const written: string[] = [];
  return { isTTY, written, write: (text: string | Uint8Array) => written.push(String(text)) > 0 };
};

const event = (nodeId: string, second: number, change: Partial<NodeEvent>): NodeEvent => ({
  id: `${nodeId}-${second}`,
  nodeId,
  occurredAt: new Date(second * 1000).toISOString(),
  ...change,
});

const events = [
  event('clean', 0, { phase: 'QUEUED' }),
  event('clean', 1, { phase: 'RUNNING' }),
  event('clean', 2, { taskPhase: 'RETRYABLE_FAILED', attempt: 0 }),
  event('clean', 3, { taskPhase: 'RUNNING', attempt: 1 }),
  event('clean', 4, { taskPhase: 'SUCCEEDED', attempt: 1 }),
  event('clean', 4, { phase: 'SUCCEEDED' }),
];

describe('the table of nodes', () => {
  it('prints a line for each node that ends when there is no terminal', () => {
    const { written, ...plain } = screen(false);
    const table = new NodeTable(['clean', 'split'], plain);
    for (const one of events) table.apply(one);
    table.end();
    expect(written.map((line) => line.trim().replaceAll(/ {2,}/g, ' | ').trim())).toEqual([
      expect.stringMatching(/^clean \| attempt failed \| attempt 1 \| /),
      'clean | SUCCEEDED | attempt 2 | 3.0 s',
    ]);
  });

  it('is redrawn in place on a terminal', () => {
    stopClocks('setInterval', 'clearInterval');
    const { written, ...terminal } = screen(true);
    const table = new NodeTable(['clean', 'split'], terminal);
    vi.advanceTimersByTime(250);
    for (const one of events) table.apply(one);
    table.end();
    expect(written.length).toBeGreaterThanOrEqual(2);
    expect(written[0]).not.toContain('\x1b[2A');
    expect(written.at(-1)?.startsWith('\x1b[2A')).toBe(true);
    expect(written.at(-1)).toMatch(/clean {2}SUCCEEDED +attempt 2 +3\.0 s/);
    expect(written.at(-1)).toContain('split  ·');
  });
});

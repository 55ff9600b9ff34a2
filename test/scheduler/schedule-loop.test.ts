import { expect, it, vi } from 'vitest';
import { startScheduleLoop } from '../../src/scheduler/launch-schedules.ts';
import { eventually } from '../support/waiting.ts';

const played = vi.hoisted(() => ({
  due: Array.from({ length: 6 }, (_, at) => ({ id: `schedule-${at}`, inMs: 0 })),
  ends: new Map<string, () => void>(),
}));
vi.mock('../../src/registry/store/schedules.ts', async (original) => ({
  ...(await original<object>()),
  listDueSchedules: async () => played.due,
}));
vi.mock('../../src/scheduler/fire-schedule.ts', () => ({
  fireSchedule: (id: string) => new Promise<void>((resolve) => played.ends.set(id, resolve)),
}));

it('at most four schedules start their executions at the same time, and the next one follows when one has ended', async () => {
  const loop = startScheduleLoop();
  const running = () => [...played.ends.keys()];
  await eventually(running, (ids) => ids.length > 0);
  // The loop fills all its places at once.
  expect(running()).toEqual(['schedule-0', 'schedule-1', 'schedule-2', 'schedule-3']);
  played.due = [];
  played.ends.get('schedule-2')?.();
  await eventually(running, (ids) => ids.length > 4);
  expect(running().at(-1)).toBe('schedule-4');
  const stopped = loop.stop();
  for (const end of played.ends.values()) end();
  await stopped;
  expect(running()).toHaveLength(5);
});

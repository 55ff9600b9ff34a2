import { listDueSchedules } from '../registry/store/schedules.ts';
import { fireSchedule } from './fire-schedule.ts';
import { type Loop, startLoop } from './loop.ts';

const LOOK_MS = 1000;
/** A look also sees what becomes due before the next look but one, and sets a timer for it. */
const AHEAD_MS = 2 * LOOK_MS;
const BATCH = 500;

/** Starts the executions of schedules, each at the time of its slot: timers wake the loop, not only its regular looks. */
export function startScheduleLoop(): Loop {
  const timers = new Map<string, NodeJS.Timeout>();
  const loop = startLoop({
    name: 'launch-schedules',
    everyMs: LOOK_MS,
    concurrency: 4,
    async due() {
      const due: string[] = [];
      for (const { id, inMs } of await listDueSchedules(AHEAD_MS, BATCH)) {
        if (inMs === 0) due.push(id);
        else wakeIn(id, inMs);
      }
      return due;
    },
    each: fireSchedule,
  });

  function wakeIn(id: string, milliseconds: number): void {
    clearTimeout(timers.get(id));
    const timer = setTimeout(() => {
      timers.delete(id);
      loop.wake(id);
    }, milliseconds);
    timers.set(id, timer);
  }

  return {
    ...loop,
    async stop() {
      await loop.stop();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

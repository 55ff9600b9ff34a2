import { onTestFinished, vi } from 'vitest';

type Clock = NonNullable<NonNullable<Parameters<typeof vi.useFakeTimers>[0]>['toFake']>[number];

/**
 * Stops clocks and timers of this process until the test ends: they move only as the test says, by
 * `vi.advanceTimersByTime` and `vi.setSystemTime`. What happens meanwhile has another cause than a timer.
 */
export function stopClocks(...clocks: Clock[]): void {
  vi.useFakeTimers({ toFake: clocks });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Stops the clock that measures how long something takes, where it stands. @returns what moves it on. */
export function stopStopwatch(): (milliseconds: number) => void {
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  return (milliseconds) => {
    now += milliseconds;
  };
}

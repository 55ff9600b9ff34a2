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

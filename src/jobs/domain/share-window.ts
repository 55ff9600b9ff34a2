import { InvalidArgumentError } from '../../platform/errors.ts';

/** What a caller says about a chart of shares. */
export interface AskedWindow {
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
  readonly stepMs?: number | null | undefined;
}

export const MAX_STEPS = 500;
export const DEFAULT_STEPS = 60;
export const DEFAULT_WINDOW_MS = 3_600_000;

/**
 * The window of a chart: by default, the last hour in 60 steps.
 *
 * @throws InvalidArgumentError if it is empty, or has more than 500 steps.
 */
export function shareWindow({ from, to, stepMs }: AskedWindow, now: Date) {
  const end = to ?? now;
  const start = from ?? new Date(end.getTime() - DEFAULT_WINDOW_MS);
  const lengthMs = end.getTime() - start.getTime();
  if (lengthMs <= 0) throw InvalidArgumentError.of(['from'], 'must be before `to`');
  const step = stepMs ?? Math.max(Math.ceil(lengthMs / DEFAULT_STEPS), 1000);
  if (step < 1000) throw InvalidArgumentError.of(['step'], 'must be at least a second');
  if (Math.ceil(lengthMs / step) > MAX_STEPS)
    throw InvalidArgumentError.of(['step'], `the window must have at most ${MAX_STEPS} steps`);
  return { from: start, to: end, stepMs: step };
}

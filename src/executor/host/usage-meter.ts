import type { RunSample } from './runtime.ts';

/** What a run used in one period. CPUs are thousandths, memory is bytes. */
export interface MeasuredUsage {
  readonly max: Measured;
  readonly average: Measured;
  /** The CPU time since the run began, in thousandths of a second. */
  readonly cpuTotalMillis: number;
}

interface Measured {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

interface Meter {
  /** The last sample of the period before, or the first sample of the run. */
  readonly first: Timed;
  last: Timed;
  samples: number;
  memorySum: number;
  memoryMax: number;
  cpuMax: number;
}

interface Timed {
  readonly atMs: number;
  readonly cpuTimeMillis: number;
}

/**
 * Makes periods out of samples. Two samples tell how much CPU a run used in between; one alone tells only its memory.
 */
export class UsageMeter {
  #meters = new Map<string, Meter>();

  /** Takes one sample of each run. Runs that are left out have ended. */
  add(atMs: number, samples: ReadonlyMap<string, RunSample>): void {
    for (const id of this.#meters.keys()) if (!samples.has(id)) this.#meters.delete(id);
    for (const [id, { cpuTimeMillis, memoryBytes }] of samples) {
      const now = { atMs, cpuTimeMillis };
      const meter = this.#meters.get(id) ?? newMeter(now);
      meter.cpuMax = Math.max(meter.cpuMax, rate(meter.last, now));
      // The time of processes that have ended may be missing in a later sample.
      meter.last = { atMs, cpuTimeMillis: Math.max(cpuTimeMillis, meter.last.cpuTimeMillis) };
      meter.samples += 1;
      meter.memorySum += memoryBytes;
      meter.memoryMax = Math.max(meter.memoryMax, memoryBytes);
      this.#meters.set(id, meter);
    }
  }

  /** What each run used in this period. The next period begins. */
  take(): Map<string, MeasuredUsage> {
    const measured = [...this.#meters].map(([id, meter]) => [id, usageOf(meter)] as const);
    this.#meters = new Map([...this.#meters].map(([id, { last }]) => [id, newMeter(last)]));
    return new Map(measured);
  }
}

const newMeter = (first: Timed): Meter => ({
  ...{ first, last: first, samples: 0, memorySum: 0, memoryMax: 0, cpuMax: 0 },
});

/** Thousandths of CPUs between two samples. */
function rate(from: Timed, to: Timed): number {
  const passedMs = to.atMs - from.atMs;
  return passedMs <= 0
    ? 0
    : Math.round((Math.max(0, to.cpuTimeMillis - from.cpuTimeMillis) * 1000) / passedMs);
}

const usageOf = ({ first, last, samples, memorySum, memoryMax, cpuMax }: Meter): MeasuredUsage => ({
  max: { cpuMillis: cpuMax, memoryBytes: memoryMax },
  average: {
    cpuMillis: rate(first, last),
    memoryBytes: samples === 0 ? 0 : Math.round(memorySum / samples),
  },
  cpuTotalMillis: last.cpuTimeMillis,
});

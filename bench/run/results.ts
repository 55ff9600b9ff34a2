import type { Options } from './options.ts';
import type { Start } from './servers.ts';
import type { Row, Spread } from './summary.ts';

/** All raw numbers of a run, as they are in `results.json`. Whatever is printed is computed from them. */
export interface Results {
  /** The machine, in words. */
  readonly machine: string;
  readonly node: string;
  readonly options: Options;
  readonly phases: readonly Phase[];
  readonly starts: readonly Started[];
  readonly rows: readonly Row[];
}

/** A part of the run, and how long it took. */
export interface Phase {
  readonly name: string;
  readonly seconds: number;
}

/** What a server takes before the first request. */
export interface Started {
  readonly server: string;
  readonly starts: readonly Start[];
  readonly seconds: Spread;
  readonly cpuSeconds: Spread;
  /** Its memory when it has nothing to do. */
  readonly restMegabytes: number;
}

import { type Goal, goals, type Verdict, verdictOn } from './goals.ts';
import type { Window } from './load-order.ts';

/** What the windows of one server on one workload say together. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Row {
  readonly workload: string;
  readonly server: string;
  readonly requestsPerSecond: Spread;
  readonly serverCpu: Spread;
  readonly databaseCpu: Spread;
  readonly p50: number;
  readonly p99: number;
  readonly megabytes: number;
  readonly statements: readonly string[];
  readonly bytes: number;
  /** How many windows count, and how many were measured. */
  readonly quiet: number;
  readonly windows: readonly Window[];
}

/** Slipway beside a peer. Above 1, Slipway is ahead. */
export interface Comparison {
  readonly workload: string;
  readonly peer: string;
  /** Of the requests a second. */
  readonly speed: number;
  /** Of the CPU time of the peer and its database to ours. */
  readonly cpu: number;
  readonly goal: Goal;
  readonly verdict: Verdict;
}

/** Windows in which others took more of a core say nothing about requests a second. */
const QUIET = 0.15;

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (position: number) => sorted[position] ?? 0;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { median, least: at(0), most: at(sorted.length - 1) };
}

/** Quiet windows count, if there are at least two; else all do. */
export function rowOf(
  workload: string,
  server: string,
  proven: { readonly statements: readonly string[]; readonly bytes: number },
  windows: readonly Window[],
): Row {
  const quiet = windows.filter(({ foreign }) => foreign <= QUIET);
  const counted = quiet.length >= 2 ? quiet : windows;
  const spread = (read: (window: Window) => number) => spreadOf(counted.map(read));
  return {
    workload,
    server,
    requestsPerSecond: spread((one) => one.requestsPerSecond),
    serverCpu: spread((one) => one.serverCpu),
    databaseCpu: spread((one) => one.databaseCpu),
    p50: spread((one) => one.p50).median,
    p99: spread((one) => one.p99).median,
    megabytes: spread((one) => one.megabytes).most,
    ...proven,
    quiet: quiet.length,
    windows,
  };
}

export const cpuOf = ({ serverCpu, databaseCpu }: Row): number => serverCpu.median + databaseCpu.median;

/**
 * Compares Slipway with each peer. The sender of the load shares the cores with the fastest servers and slows them down,
 * which would flatter us; so the lower of both ratios decides whether a goal is met.
 */
export function compare(rows: readonly Row[]): Comparison[] {
  return rows.flatMap((peer) => {
    const ours = rows.find(({ workload, server }) => workload === peer.workload && server === 'slipway');
    const goal = goals[peer.workload]?.[peer.server];
    if (!ours || !goal) return [];
    const speed = ours.requestsPerSecond.median / peer.requestsPerSecond.median;
    // Without the CPU time of both, only the speed is known.
    const cpu = cpuOf(ours) > 0 && cpuOf(peer) > 0 ? cpuOf(peer) / cpuOf(ours) : speed;
    return {
      ...{ workload: peer.workload, peer: peer.server, speed, cpu, goal },
      verdict: verdictOn(goal, Math.min(speed, cpu)),
    };
  });
}

/** Of the servers with these names, only the fastest stays. It gets the first of the names. */
export function withBetterLimit(rows: readonly Row[], [name, ...others]: readonly string[]): Row[] {
  const isLimit = ({ server }: Row) => server === name || others.includes(server);
  const speedOf = ({ requestsPerSecond }: Row) => requestsPerSecond.median;
  const [best] = rows.filter(isLimit).sort((one, other) => speedOf(other) - speedOf(one));
  return rows
    .filter((row) => !isLimit(row) || row === best)
    .map((row) => (row === best && name !== undefined ? { ...row, server: name } : row));
}

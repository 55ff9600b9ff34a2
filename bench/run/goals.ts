/**
 * The goals: how many times as many requests a second Slipway answers as a peer, on the same machine in the same run.
 * `must` is the least, `aim` is where it should come to.
 */
export interface Goal {
  readonly must: number;
  readonly aim: number;
}

type Goals = Readonly<Record<string, Readonly<Record<string, Goal>>>>;

const goal = (must: number, aim: number): Goal => ({ must, aim });

export const goals: Goals = {
  V0: { postgraphile: goal(2, 4), mercurius: goal(0.5, 0.9), apollo: goal(2, 4), limit: goal(0.45, 0.85) },
  Q1: { postgraphile: goal(1.2, 3), mercurius: goal(1.2, 3), apollo: goal(6, 15), limit: goal(0.35, 0.85) },
  Q2: { postgraphile: goal(1.4, 2.8), mercurius: goal(2, 6), apollo: goal(30, 60), limit: goal(0.5, 1.3) },
  Q3: { postgraphile: goal(1.6, 3), mercurius: goal(1.5, 2.7), apollo: goal(8, 20), limit: goal(0.9, 1.7) },
  Q4: {
    postgraphile: goal(1.3, 3.3),
    mercurius: goal(0.6, 1.6),
    apollo: goal(2, 5),
    limit: goal(0.34, 0.85),
  },
  M1: { postgraphile: goal(2, 5), mercurius: goal(2, 4), apollo: goal(5, 15), limit: goal(0.5, 1) },
  jobs: { loop: goal(0.3, 0.8) },
  client_credentials: { 'oidc-provider': goal(0.8, 1) },
  introspection: { 'oidc-provider': goal(0.8, 1) },
};

/** The goals of Slipway alone: none of these may be larger. */
export const most = {
  /** p99 in those of p50. */
  tail: 4,
  /** The CPU time of page 1,000 in those of page 1. */
  farPage: 1.2,
  /** The CPU time with ten times the data, in those with the data of a usual run. */
  growth: 1.3,
  readySeconds: 1.5,
  startCpuSeconds: 2,
  restMegabytes: 200,
  loadMegabytes: 350,
} as const;

/** Workloads that cost hardly more with ten times the data. */
export const mustNotGrow: readonly string[] = ['Q1', 'Q2', 'Q4', 'M1'];

/** What the short form holds: how many statements a request has, and what its CPU costs in those of the limit. */
export interface Gate {
  readonly statements: number;
  readonly cpu: number;
}

/**
 * Each bound is half as much again as the most that was measured on a busy machine, so that only a real change breaks it.
 * Whoever makes a workload cheaper lowers its bound.
 */
export const gates: Readonly<Record<string, Gate>> = {
  V0: { statements: 1, cpu: 12 },
  Q1: { statements: 2, cpu: 11 },
  Q2: { statements: 4, cpu: 7 },
  Q3: { statements: 2, cpu: 8 },
  Q4: { statements: 2, cpu: 10 },
  M1: { statements: 3, cpu: 8 },
};

export type Verdict = 'aim met' | 'met' | 'missed';

export function verdictOn({ must, aim }: Goal, ratio: number): Verdict {
  if (ratio >= aim) return 'aim met';
  return ratio >= must ? 'met' : 'missed';
}

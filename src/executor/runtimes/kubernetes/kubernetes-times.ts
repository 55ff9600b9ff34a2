/** How long the runtime waits. Tests take shorter times. */
export interface Times {
  /** How long a pod may wait, as a part of what Armada allows: 1. */
  readonly waitFactor: number;
  /** How long Kubernetes may take to end a pod, after its grace period. */
  readonly killWaitMs: number;
  /** How long the log may take to arrive when the command has ended. */
  readonly logMs: number;
  /** After this time, all pods are listed again. */
  readonly resyncMs: number;
  /** How often the nodes are asked for. */
  readonly nodesMs: number;
  /** How long pods that have ended are kept, for people who look at them. Source: Armada. */
  readonly keepMs: number;
  readonly keepFailedMs: number;
  /** How long a pod may exist that no run knows. */
  readonly orphanMs: number;
}

const MINUTE = 60_000;
export const usualTimes: Times = {
  waitFactor: 1,
  killWaitMs: MINUTE,
  logMs: 15_000,
  resyncMs: 5 * MINUTE,
  nodesMs: 30_000,
  keepMs: 3 * MINUTE,
  keepFailedMs: 10 * MINUTE,
  orphanMs: 15 * MINUTE,
};

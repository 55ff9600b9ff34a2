import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration, parseDuration } from '../../platform/duration.ts';
import type { Log } from '../../platform/log.ts';
import { ApiError, mayPass } from './api-error.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { leaseJobsDocument } from './documents.ts';
import { HeldRun, type RunHost, type StopReason } from './held-run.ts';
import { BackOff } from './retry.ts';
import { Room } from './room.ts';
import type { LeasedRun } from './run-spec.ts';
import { removeEnded, type WorkHost } from './run-work.ts';
import type { RuntimeNode } from './runtime.ts';
import { startUsageReports } from './usage-reporter.ts';

/**
 * The life of the executor: one long poll at a time. The poll tells the server that the executor is alive, renews its
 * leases, and returns runs to start and to stop.
 *
 * A run starts only after a call that named it was answered. Its lease is returned only when nothing of it is left. If
 * no call is answered for as long as a lease lasts, the runs continue: only one result counts, because each lease is a
 * separate run, and an outage of the server must not end work. By then, another executor may have the job. For work
 * that must never run twice at the same time, the runs are stopped (`onLostContact`).
 *
 * If the executor is killed, its runs continue too. The next executor finds them by their records, names them in its
 * first call, and reports their results. What the first one had not begun is returned.
 */

export interface WorkLoopOptions extends WorkHost {
  readonly client: ApiClient;
  /** The name of the executor. Only one process may use a name at a time. */
  readonly name: string;
  /** The id by which the server tells this process from another one with the same name. */
  readonly instance: string;
  readonly pool: string;
  /** How many runs the runtime can have at the same time. */
  readonly slots: number;
  /** How long `stop` may take. */
  readonly drainSeconds: number;
  /** How often usage is measured and reported, for tests. */
  readonly usageTimes?: { readonly sampleMs: number; readonly reportMs: number };
  /** What happens to the runs if the server was not reached for as long as a lease lasts. */
  readonly onLostContact: 'continue' | 'stop';
}

export interface WorkLoop {
  /**
   * Leases nothing more, lets runs that are about to end do so, stops the others and returns their leases; or leaves
   * them to the next executor, if that is how the runtime is. This takes at most `drainSeconds`, unless processes cannot
   * be ended. What the server was not told by then, it learns when leases expire.
   */
  stop(): Promise<void>;
}

/** The server shortens it to a third of the lease. */
const WAIT_MS = 20_000;
const MAX_JOBS = 100;
/** Until the first answer says how long leases last. */
const FIRST_LEASE_MS = 30_000;
/** How long an executor that stops waits for runs that may be about to end. */
const FINISH_MS = 2_000;
/** How long an executor that stops continues to report after all processes have ended. */
const LAST_WORDS_MS = 5_000;
const SIGN_OFF_MS = 3_000;

/** First finds the runs that an earlier executor has left behind. */
export async function startWorkLoop(options: WorkLoopOptions): Promise<WorkLoop> {
  await removeEnded(options);
  return new Loop(options);
}

class Loop implements WorkLoop {
  readonly #options: WorkLoopOptions;
  readonly #giveUp = new AbortController();
  readonly #leave = new AbortController();
  readonly #room: Room;
  readonly #host: RunHost;
  readonly #log: Log;
  /** All runs of the executor until the server has confirmed their end. Each uses a slot. */
  readonly #runs = new Map<string, HeldRun>();
  /** Each resolves when the processes of a run have ended. */
  readonly #working = new Set<Promise<void>>();
  /** Each resolves when the server knows everything about a run. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #asking: Promise<void>;
  readonly #stopUsage: () => Promise<void>;
  #isStopping = false;
  /**
   * The running call, or the pause before the next one. Idle means that it leases no jobs, because there was no room.
   */
  #poll: { readonly interrupt: AbortController; readonly isIdle: boolean } | null = null;
  #leaseMs = FIRST_LEASE_MS;
  #leaseTimer: NodeJS.Timeout | undefined;

  constructor(options: WorkLoopOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#room = new Room(options.runtime.capacity);
    // All runs listen to these signals.
    for (const { signal } of [this.#giveUp, this.#leave]) setMaxListeners(0, signal);
    this.#host = { ...options, giveUp: this.#giveUp.signal, leave: this.#leave.signal };
    for (const record of options.records.list()) {
      const run = HeldRun.left(record, this.#host);
      this.#runs.set(run.id, run);
      this.#start(run);
    }
    if (this.#runs.size > 0)
      this.#log.warn({ runs: [...this.#runs.keys()] }, 'found the runs of an earlier executor');
    this.#asking = this.#keepAsking();
    const working = () => [...this.#runs.values()].filter((run) => run.state === 'WORKING');
    this.#stopUsage = startUsageReports({ ...options, ...options.usageTimes, runs: working });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const timers = [this.#giveUpIn(this.#options.drainSeconds * 1000)];
    this.#poll?.interrupt.abort();
    await this.#stopUsage();
    await this.#asking;
    clearTimeout(this.#leaseTimer);
    this.#dropUnstarted('DRAINING');
    await this.#signOff(false);
    await Promise.race([this.#settled(), sleep(FINISH_MS, undefined, { ref: false })]);
    if (this.#options.runtime.whenStopped === 'LEAVE') this.#leave.abort();
    else for (const run of this.#runs.values()) run.stop('DRAINING');
    await Promise.all(this.#working);
    timers.push(this.#giveUpIn(LAST_WORDS_MS));
    await this.#settled();
    // Again, because a call that was running when the executor began to stop may have leased jobs after the first time.
    await this.#signOff(true);
    await this.#settled();
    for (const timer of timers) clearTimeout(timer);
  }

  async #keepAsking(): Promise<void> {
    for (const backOff = new BackOff(); !this.#isStopping; ) {
      const interrupt = new AbortController();
      try {
        await this.#ask(interrupt);
        backOff.reset();
      } catch (error) {
        if (interrupt.signal.aborted) continue;
        // The client logs errors that are not final.
        if (!mayPass(error)) {
          const why = error instanceof ApiError ? { reason: error.message } : { err: error };
          this.#log.error(why, 'cannot lease jobs');
        }
        this.#poll = { interrupt, isIdle: true };
        await backOff.pause(interrupt.signal, error).catch(() => {});
      }
    }
  }

  async #ask(interrupt: AbortController): Promise<void> {
    const nodes = await this.#options.runtime.nodes();
    const named = [...this.#runs.values()];
    const maxJobs = this.#hasRoom
      ? Math.max(0, Math.min(MAX_JOBS, this.#options.slots - this.#runs.size))
      : 0;
    // New runs wait for this answer before they start.
    const waitMs = named.some((run) => run.state === 'HEARD') ? 0 : Math.min(WAIT_MS, this.#leaseMs / 3);
    this.#poll = { interrupt, isIdle: maxJobs === 0 && waitMs > 0 };
    const sentAt = performance.now();
    const answer = await this.#lease(
      {
        knownRuns: named.map((run) => run.id),
        stoppingRuns: named.filter((run) => run.isStopping).map((run) => run.id),
        nodes,
        maxJobs,
        wait: formatDuration(waitMs),
      },
      { signal: interrupt.signal, timeoutMs: waitMs + Math.max(2_000, this.#leaseMs / 3) },
    );
    this.#renewed(sentAt, parseDuration(answer.leaseDuration) ?? FIRST_LEASE_MS);
    const cancelled = new Set(answer.cancelRuns);
    for (const run of named) {
      if (cancelled.has(run.id)) this.#end(run);
      else if (run.state === 'HEARD') run.state = 'CONFIRMED';
    }
    this.#startWaiting();
    await Promise.all(answer.runs.map((leased) => this.#hear(leased)));
  }

  async #lease(
    request: {
      nodes: readonly RuntimeNode[];
      knownRuns: string[];
      stoppingRuns: string[];
      maxJobs: number;
      wait: string;
      isLast?: boolean;
    },
    call: { signal: AbortSignal; timeoutMs: number },
  ) {
    const { client, name, instance, pool } = this.#options;
    const input = { executor: name, instance, pool, ...request, nodes: request.nodes.map(reportOf) };
    const answer = await client.ask(leaseJobsDocument, { input }, call);
    return payloadOf(answer.leaseJobs, 'LeaseJobsPayload');
  }

  /** Counts from the moment when the call was sent. The server began to count later. */
  #renewed(sentAt: number, leaseMs: number): void {
    this.#leaseMs = leaseMs;
    clearTimeout(this.#leaseTimer);
    this.#leaseTimer = setTimeout(() => this.#loseLeases(), sentAt + leaseMs - performance.now());
  }

  #loseLeases(): void {
    if (this.#runs.size === 0) return;
    const isStopped = this.#options.onLostContact === 'stop';
    this.#log.error(
      { runs: [...this.#runs.keys()] },
      `leases were not renewed in time: the runs ${isStopped ? 'are stopped' : 'continue'}`,
    );
    if (isStopped) this.#dropUnstarted('LEASE_LOST');
    for (const run of this.#runs.values()) {
      if (isStopped) run.stop('LEASE_LOST');
      else run.waitForConfirmation();
    }
  }

  /** The next call names the run, so it must be noted before. */
  async #hear(leased: LeasedRun): Promise<void> {
    if (this.#runs.has(leased.id)) return;
    const run = HeldRun.heard(leased, this.#host);
    this.#runs.set(leased.id, run);
    await run.note();
  }

  /** The server asks for the end of a run. */
  #end(run: HeldRun): void {
    if (run.isUnstarted) this.#drop(run, 'TOLD');
    else run.stop('TOLD');
  }

  /**
   * Starts runs in their order, while the runtime has fewer than `slots` runs and the next one fits beside them. A run
   * that is being killed still counts.
   */
  #startWaiting(): void {
    for (const run of this.#waiting()) {
      if (this.#isStopping || this.#working.size >= this.#options.slots) return;
      if (!this.#room.couldFit(run.requests)) this.#refuse(run);
      else if (this.#room.fits(run.requests)) this.#start(run);
      else return;
    }
  }

  #waiting(): HeldRun[] {
    return [...this.#runs.values()].filter((run) => run.state === 'CONFIRMED');
  }

  /** Whether there is something left of what the runs share, and no run waits for it already. */
  get #hasRoom(): boolean {
    return !this.#room.isFull && this.#waiting().every((run) => this.#room.fits(run.requests));
  }

  #refuse(run: HeldRun): void {
    this.#runs.delete(run.id);
    this.#track(run.refuse());
  }

  #start(run: HeldRun): void {
    let onEnded = () => {};
    const ended = new Promise<void>((resolve) => {
      onEnded = resolve;
    });
    this.#working.add(ended);
    this.#room.take(run.id, run.requests);
    const work = run.work(() => {
      onEnded();
      this.#working.delete(ended);
      this.#room.free(run.id);
      this.#startWaiting();
    });
    const settled = work.finally(() => {
      this.#runs.delete(run.id);
      // There is room now, and the server can be reached.
      if (this.#poll?.isIdle) this.#poll.interrupt.abort();
    });
    this.#track(settled.then(() => run.forget()));
  }

  #dropUnstarted(reason: StopReason): void {
    for (const run of [...this.#runs.values()].filter((one) => one.isUnstarted)) this.#drop(run, reason);
  }

  #drop(run: HeldRun, reason: StopReason): void {
    this.#runs.delete(run.id);
    this.#track(run.endUnstarted(reason));
  }

  /**
   * Leaves no room, so that the server assigns nothing more, and returns runs that were just assigned.
   *
   * @param isLast  whether another process may use the name from now on.
   */
  async #signOff(isLast: boolean): Promise<void> {
    try {
      const nodes = await this.#options.runtime.nodes();
      const request = { nodes, knownRuns: [], stoppingRuns: [], maxJobs: 0, wait: 'PT0S', isLast };
      const { runs } = await this.#lease(request, { signal: this.#giveUp.signal, timeoutMs: SIGN_OFF_MS });
      for (const leased of runs.filter(({ id }) => !this.#runs.has(id)))
        this.#track(HeldRun.heard(leased, this.#host).endUnstarted('DRAINING'));
    } catch (error) {
      this.#log.warn({ reason: (error as Error).message }, 'cannot sign out');
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error) => {
        if (!this.#giveUp.signal.aborted) this.#log.error({ err: error }, 'the server refused the request');
      })
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  async #settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #giveUpIn(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#giveUp.abort(), milliseconds);
  }
}

function reportOf({ labels = {}, taints = [], ...node }: RuntimeNode) {
  return {
    ...node,
    labels: Object.entries(labels).map(([key, value]) => ({ key, value })),
    taints: taints.map(({ key, value, effect }) => ({ key, value, effect })),
  };
}

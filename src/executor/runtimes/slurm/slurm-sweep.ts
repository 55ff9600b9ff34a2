import { existsSync } from 'node:fs';
import type { Log } from '../../../platform/log.ts';
import { runDirectory } from '../../host/run-directory.ts';
import { closeGate, readExit } from '../command-wrapper.ts';
import { isPassing, SlurmError } from './slurm-client.ts';
import { isHeld, isPending, readJobs, runIdOf, type SlurmJob } from './slurm-job.ts';

export interface SlurmSweepOptions {
  ask(method: 'GET' | 'DELETE', path: string, signal: AbortSignal): Promise<Record<string, unknown>>;
  readonly log: Log;
  /** The folder of this executor for the directories of runs. */
  readonly root: string;
  /** The user of Slurm who runs the jobs. */
  readonly user: string;
  readonly everyMs: number;
  readonly orphanMs: number;
}

const TIMEOUT_MS = 60_000;
/** The rest waits for the next look. */
const MOST_AT_A_TIME = 100;

/**
 * Cancels jobs of this executor that wait in the queue of Slurm for nothing: a slurmctld that was killed can put a job
 * back into its queue, and hold it, when its run is over and forgotten.
 *
 * A job is ours if its name has the id of a run, it belongs to our user, and its current directory is the one of this
 * run in the folder of this executor. Jobs of other executors have another folder. What runs is left alone.
 */
export class SlurmSweep {
  readonly #options: SlurmSweepOptions;
  /** The runs that this executor has. */
  readonly #kept = new Set<string>();
  /** Since when we have seen jobs that no run knows. */
  readonly #seenSince = new Map<string, number>();
  #lookAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  constructor(options: SlurmSweepOptions) {
    this.#options = options;
  }

  /** The run has begun to be ours, and follows its job itself. */
  keep(runId: string): void {
    this.#kept.add(runId);
  }

  /** The run is over for us. */
  drop(runId: string): void {
    this.#kept.delete(runId);
  }

  /** Looks in the background, if the last look is long ago. */
  lookIfDue(): void {
    if (this.#isLooking || performance.now() < this.#lookAt) return;
    this.#isLooking = true;
    void this.#look().finally(() => {
      this.#lookAt = performance.now() + this.#options.everyMs;
      this.#isLooking = false;
    });
  }

  async #look(): Promise<void> {
    const { ask, log } = this.#options;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const idle = readJobs(await ask('GET', '/jobs', signal)).filter((job) => this.#isIdle(job));
      for (const job of this.#old(idle).slice(0, MOST_AT_A_TIME)) await this.#cancel(job, signal);
    } catch (error) {
      if (error instanceof SlurmError || signal.aborted)
        log.warn({ reason: (error as Error).message }, 'Slurm does not tell its jobs');
      else log.error({ err: error }, 'cannot look for jobs of Slurm that nobody needs');
    }
  }

  /** Whether a job of ours waits although no run of this executor needs it. */
  #isIdle(job: SlurmJob): boolean {
    const { root, user } = this.#options;
    const runId = runIdOf(job.name);
    if (runId === null || job.user !== user || !isPending(job) || this.#kept.has(runId)) return false;
    const { work, control } = runDirectory(root, runId);
    if (job.folder !== work) return false;
    // A run that is over or forgotten can do nothing more. Of any other, the job may still start and end by itself.
    return isHeld(job) || !existsSync(control) || readExit(control) !== null;
  }

  /** Those that have been idle for long: a run of an earlier executor may be about to be found. */
  #old(idle: readonly SlurmJob[]): SlurmJob[] {
    const now = performance.now();
    const since = new Map(idle.map((job) => [keyOf(job), this.#seenSince.get(keyOf(job)) ?? now]));
    this.#seenSince.clear();
    for (const [key, at] of since) this.#seenSince.set(key, at);
    return idle.filter((job) => now - (since.get(keyOf(job)) ?? now) >= this.#options.orphanMs);
  }

  async #cancel(listed: SlurmJob, signal: AbortSignal): Promise<void> {
    const { ask, log, root } = this.#options;
    try {
      // It may have changed, and a slurmctld that was killed can use a number twice.
      const jobs = readJobs(await ask('GET', `/job/${listed.id}`, signal));
      const job = jobs.find(({ id, name }) => id === listed.id && name === listed.name);
      if (job === undefined || !this.#isIdle(job)) return;
      const runId = runIdOf(job.name) ?? '';
      closeGate(runDirectory(root, runId).control);
      const { id, reason, description } = job;
      log.warn({ runId, job: id, reason, description }, 'cancelling a job of Slurm that nobody needs');
      await ask('DELETE', `/job/${id}`, signal);
    } catch (error) {
      if (!(error instanceof SlurmError) || isPassing(error)) throw error;
      // The job is gone, or Slurm refuses this one. The others must not wait for it.
      if (error.fault === 'REFUSED')
        log.warn({ job: listed.id, reason: error.message }, 'Slurm does not cancel the job');
    }
  }
}

const keyOf = ({ id, name }: SlurmJob) => `${id} ${name}`;

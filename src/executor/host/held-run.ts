import { setTimeout as sleep } from 'node:timers/promises';
import type { JobEventInput, LeaseJobsMutation, ReportOutcome } from '../../generated/executor/graphql.ts';
import { parseDuration } from '../../platform/duration.ts';
import type { Log } from '../../platform/log.ts';
import { ApiError } from './api-error.ts';
import { createBlobStore } from './blob-store.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { reportJobEventsDocument, returnLeaseDocument } from './documents.ts';
import { LogSender } from './log-sender.ts';
import type { RunOutcome, RunSpec, Runtime } from './runtime.ts';

type LeaseAnswer = Extract<NonNullable<LeaseJobsMutation['leaseJobs']>, { __typename: 'LeaseJobsPayload' }>;
export type LeasedRun = LeaseAnswer['runs'][number];

/** Why a run is stopped early. */
export type StopReason =
  /**
   * The server asks for it: the run was cancelled, or it has ended for the server and another executor may have the
   * job.
   */
  | 'TOLD'
  /** The lease was not renewed in time, and the executor is configured to stop its runs then. */
  | 'LEASE_LOST'
  /** The executor is stopping. */
  | 'DRAINING';

export interface RunHost {
  readonly client: ApiClient;
  readonly runtime: Runtime;
  readonly log: Log;
  /** Ends all calls to the server, because nobody waits for their answers any more. */
  readonly giveUp: AbortSignal;
}

const returnReasons = {
  LEASE_LOST: 'the executor could not renew the lease in time',
  DRAINING: 'the executor is stopping',
} as const;
/** How long the end of a run waits until its log is stored. */
const LOG_SETTLE_MS = 5_000;
const REAP_AGAIN_MS = 30_000;

/**
 * One run, from the moment when the executor gets it until the server has confirmed its end.
 *
 *    HEARD ──▶ CONFIRMED ──▶ WORKING ──▶ ENDED
 *
 * HEARD: the server has assigned it. CONFIRMED: a call that named it was answered, so its lease is valid and the server
 * knows that it may begin. WORKING: there may be processes. ENDED: there are no processes any more; the result is being
 * reported, or the lease is being returned.
 */
export class HeldRun {
  readonly id: string;
  state: 'HEARD' | 'CONFIRMED' | 'WORKING' | 'ENDED' = 'HEARD';
  readonly #leased: LeasedRun;
  readonly #host: RunHost;
  readonly #log: Log;
  readonly #stop = new AbortController();
  #stopReason: StopReason | null = null;
  #isStarted = false;
  /** The report that the run has started. The report of its end must come after it. */
  #startReport: Promise<void> = Promise.resolve();

  constructor(leased: LeasedRun, host: RunHost) {
    this.id = leased.id;
    this.#leased = leased;
    this.#host = host;
    this.#log = host.log.child({ runId: leased.id, jobId: leased.jobId });
  }

  get isUnstarted(): boolean {
    return this.state === 'HEARD' || this.state === 'CONFIRMED';
  }

  get isStopping(): boolean {
    return this.#stopReason !== null;
  }

  /** Stops the work early. The first reason counts, unless the server asks for it too. */
  stop(reason: StopReason): void {
    if (this.#stopReason === null || reason === 'TOLD') this.#stopReason = reason;
    this.#stop.abort();
  }

  /**
   * After a long silence the lease may have expired, so a run that has not begun waits for a call that names it again.
   */
  waitForConfirmation(): void {
    if (this.state === 'CONFIRMED') this.state = 'HEARD';
  }

  /**
   * Does the work and makes sure that the server learns the result. Resolves when nothing is left to do.
   *
   * @param onEnded  called when all processes have ended, before the reports.
   */
  async work(onEnded: () => void): Promise<void> {
    this.state = 'WORKING';
    const logs = new LogSender(this.#host.client, this.id, this.#log);
    const outcome = await this.#run(logs);
    this.state = 'ENDED';
    onEnded();
    try {
      await logs.settle(LOG_SETTLE_MS);
      await this.#startReport;
      await this.#conclude(outcome);
      await logs.settle(LOG_SETTLE_MS);
    } catch (error) {
      if (!this.#host.giveUp.aborted) throw error;
      this.#log.warn({ outcome: outcome.kind }, 'cannot report the end of the run');
    } finally {
      logs.close();
    }
  }

  /** Returns the lease. The server ignores this if the lease is not ours any more. */
  async giveBack(reason: string, attempted: boolean): Promise<void> {
    const variables = { input: { run: this.id, reason, attempted } };
    const { client, giveUp } = this.#host;
    const answer = await client.insist(returnLeaseDocument, variables, { signal: giveUp });
    const { returned } = payloadOf(answer.returnLease, 'ReturnLeasePayload');
    this.#log.info({ attempted, returned, reason }, 'lease returned');
  }

  /** Tells the server that a run was stopped before it began. */
  async endUnstarted(reason: StopReason): Promise<void> {
    if (reason === 'TOLD') await this.#report({ kind: 'CANCELLED' });
    else await this.giveBack(returnReasons[reason], false);
  }

  async #run(logs: LogSender): Promise<RunOutcome> {
    const { runtime, client } = this.#host;
    try {
      const outcome = await runtime.run(specOf(this.#leased), {
        blobs: createBlobStore(client, this.#leased),
        signal: this.#stop.signal,
        onStarted: () => this.#onStarted(),
        onLog: (chunk) => logs.add(chunk),
      });
      return await this.#whenGone(outcome);
    } catch (error) {
      this.#log.error({ err: error }, 'the runtime failed');
      const failure = { code: 'ExecutorFailure', message: 'the executor failed', kind: 'SYSTEM' as const };
      return { kind: 'FAILED', error: failure, exitCode: null, signal: null };
    }
  }

  #onStarted(): void {
    this.#isStarted = true;
    this.#startReport = this.#report({ kind: 'RUNNING' }).catch((error) => {
      if (!this.#host.giveUp.aborted) this.#log.error({ err: error }, 'the run cannot start');
    });
  }

  /** Keeps the lease while a process of the run cannot be ended, so that no second copy of the run starts. */
  async #whenGone(outcome: RunOutcome): Promise<RunOutcome> {
    if (outcome.kind !== 'STUCK') return outcome;
    const { runtime, giveUp } = this.#host;
    while (!giveUp.aborted) {
      this.#log.error({ reason: outcome.message }, 'cannot end the run; keeping its lease');
      await sleep(REAP_AGAIN_MS, undefined, { signal: giveUp }).catch(() => {});
      const isGone = await runtime.reapLeftovers().then(
        () => true,
        () => false,
      );
      if (isGone) return { kind: 'CANCELLED' };
    }
    return outcome;
  }

  /** Tells the server the result of the run, and repeats this until it succeeds. */
  async #conclude(outcome: RunOutcome): Promise<void> {
    const reason = this.#stopReason;
    if (outcome.kind === 'STUCK') {
      this.#log.error('keeping the lease, because the run could not be ended');
    } else if (outcome.kind === 'SUCCEEDED') {
      // Even if the run was to be stopped: if the work ended first, its result counts.
      await this.#reportSuccess(outcome);
    } else if (outcome.kind === 'CANCELLED') {
      if (reason === 'TOLD') await this.#report({ kind: 'CANCELLED' });
      // Losing contact is not the fault of the work, so it does not count as an attempt.
      else if (reason === 'LEASE_LOST') await this.giveBack(returnReasons.LEASE_LOST, false);
      else
        await this.giveBack(reason ? returnReasons[reason] : 'the run could not be ended', this.#isStarted);
    } else if (outcome.error.kind === 'SYSTEM') {
      // The work may succeed elsewhere or later. It counts as an attempt, so that it is not repeated endlessly.
      await this.giveBack(`${outcome.error.code}: ${outcome.error.message}`, true);
    } else {
      await this.#reportFailure(outcome.error, outcome.exitCode);
    }
  }

  async #reportSuccess({ outputs, outputLiterals }: Extract<RunOutcome, { kind: 'SUCCEEDED' }>) {
    try {
      await this.#report({ kind: 'SUCCEEDED', exitCode: 0, outputs, outputLiterals });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#log.warn({ err: error }, 'the outputs are not valid');
      const { message } = error;
      const isTooLarge = error.code === 'RESOURCE_EXHAUSTED';
      const failure = isTooLarge
        ? ({ code: 'OutputsTooLarge', message, kind: 'USER' } as const)
        : ({ code: 'OutputsRefused', message, kind: 'SYSTEM' } as const);
      await this.#reportFailure(failure, 0);
    }
  }

  async #reportFailure(error: NonNullable<JobEventInput['error']>, exitCode: number | null): Promise<void> {
    await this.#report({ kind: 'FAILED', exitCode, error });
  }

  /** Repeats the report until the server confirms it. @throws ApiError if the server refuses it. */
  async #report(event: Omit<JobEventInput, 'run' | 'occurredAt'>): Promise<void> {
    const variables = {
      input: { events: [{ run: this.id, occurredAt: new Date().toISOString(), ...event }] },
    };
    const { client, giveUp } = this.#host;
    const answer = await client.insist(reportJobEventsDocument, variables, { signal: giveUp });
    const [outcome]: ReportOutcome[] = payloadOf(answer.reportJobEvents, 'ReportJobEventsPayload').outcomes;
    this.#log.info({ kind: event.kind, outcome, error: event.error?.code }, 'run reported');
    if (outcome === 'FENCED') this.stop('TOLD');
  }
}

function specOf(leased: LeasedRun): RunSpec {
  return {
    runId: leased.id,
    jobId: leased.jobId,
    container: leased.container as RunSpec['container'],
    interface: leased.interface as RunSpec['interface'],
    inputs: leased.inputs as RunSpec['inputs'],
    inputLiterals: leased.inputLiterals as RunSpec['inputLiterals'],
    timeoutSeconds: leased.activeDeadline === null ? null : secondsOf(leased.activeDeadline),
    terminationGraceSeconds: secondsOf(leased.terminationGrace),
    environment: leased.environment as RunSpec['environment'],
  };
}

function secondsOf(duration: string): number {
  const milliseconds = parseDuration(duration);
  if (milliseconds === null) throw new Error(`${duration} is not a duration`);
  return milliseconds / 1000;
}

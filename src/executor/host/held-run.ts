import type { JobEventInput, ReportOutcome } from '../../generated/executor/graphql.ts';
import type { Log } from '../../platform/log.ts';
import { ApiError } from './api-error.ts';
import { createBlobStore } from './blob-store.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { reportJobEventsDocument, returnLeaseDocument } from './documents.ts';
import { LogSender } from './log-sender.ts';
import { requestsOf } from './room.ts';
import { RunError } from './run-error.ts';
import type { RunRecord } from './run-records.ts';
import { type LeasedRun, type RunSpec, readLeasedRun } from './run-spec.ts';
import { RunWork, type WorkHost } from './run-work.ts';
import type { Requests, RunFailure, RunOutcome } from './runtime.ts';

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

export interface RunHost extends WorkHost {
  readonly client: ApiClient;
  /** Lets all runs continue without this executor. */
  readonly leave: AbortSignal;
  /** Ends all calls to the server, because nobody waits for their answers any more. */
  readonly giveUp: AbortSignal;
}

const returnReasons = {
  LEASE_LOST: 'the executor could not renew the lease in time',
  DRAINING: 'the executor is stopping',
} as const;
/** How long the end of a run waits until its log is stored. */
const LOG_SETTLE_MS = 5_000;

/**
 * One run, from the moment when the executor gets it until the server has confirmed its end.
 *
 *    HEARD ──▶ CONFIRMED ──▶ WORKING ──▶ ENDED
 *
 * HEARD: the server has assigned it. CONFIRMED: a call that named it was answered, so its lease is valid and the server
 * knows that it may begin. WORKING: the runtime may have it. ENDED: nothing of it runs any more, or it continues without
 * this executor; the result is being reported, or the lease is being returned.
 *
 * A run of an earlier executor, which that one had begun, is WORKING from the start.
 */
export class HeldRun {
  readonly id: string;
  state: 'HEARD' | 'CONFIRMED' | 'WORKING' | 'ENDED' = 'HEARD';
  /** What it asks for. */
  readonly requests: Requests;
  /** What an earlier executor has left behind; null for a new run. */
  readonly #record: RunRecord | null;
  /** The error if the executor does not understand what the server has sent. */
  readonly #spec: RunSpec | RunError;
  readonly #inputBlobs: LeasedRun['inputBlobs'];
  readonly #host: RunHost;
  readonly #log: Log;
  readonly #stop = new AbortController();
  #stopReason: StopReason | null = null;
  #isStarted = false;
  #forget = async () => {};
  /** The report that the run has started. The report of its end must come after it. */
  #startReport: Promise<void> = Promise.resolve();

  private constructor(
    ids: { readonly id: string; readonly jobId: string },
    spec: RunSpec | RunError,
    host: RunHost,
    { record = null as RunRecord | null, inputBlobs = [] as LeasedRun['inputBlobs'] },
  ) {
    this.id = ids.id;
    this.#record = record;
    this.#spec = spec;
    this.#inputBlobs = inputBlobs;
    this.requests = requestsOf(
      spec instanceof RunError ? { requests: [], limits: [] } : spec.container.resources,
    );
    this.#host = host;
    this.#log = host.log.child({ runId: ids.id, jobId: ids.jobId });
  }

  /** A run that the server has assigned. */
  static heard(leased: LeasedRun, host: RunHost): HeldRun {
    return new HeldRun(leased, specOf(leased), host, { inputBlobs: leased.inputBlobs });
  }

  /** A run that an earlier executor has left behind. It must be worked on at once. */
  static left(record: RunRecord, host: RunHost): HeldRun {
    const { runId, jobId } = record.spec;
    return new HeldRun({ id: runId, jobId }, record.spec, host, { record });
  }

  /** The name of its queue; null if an earlier release has left it behind, or if it cannot be read. */
  get queue(): string | null {
    return this.#spec instanceof RunError ? null : (this.#spec.queue ?? null);
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
   * @param onEnded  called when the runtime has nothing of the run any more, before the reports.
   */
  async work(onEnded: () => void): Promise<void> {
    this.state = 'WORKING';
    const work = this.#spec instanceof RunError ? null : new RunWork(this.#host, this.#record ?? this.#spec);
    const logs = new LogSender(this.#host.client, this.id, this.#log, (count) => work?.logStored(count));
    const outcome = await this.#run(work, logs);
    this.state = 'ENDED';
    onEnded();
    try {
      if (outcome.kind === 'LEFT' || outcome.kind === 'STUCK') return this.#keepLease(outcome);
      await logs.settle(LOG_SETTLE_MS);
      logs.complete();
      await this.#startReport;
      await this.#conclude(outcome);
      await logs.settle(LOG_SETTLE_MS);
      this.#forget = async () => await work?.forget(outcome);
    } catch (error) {
      if (!this.#host.giveUp.aborted) throw error;
      this.#log.warn({ outcome: outcome.kind }, 'cannot report the end of the run');
    } finally {
      logs.close();
    }
  }

  /** Removes what is stored here about the run, if the server knows its end. */
  async forget(): Promise<void> {
    await this.#forget();
  }

  /** Returns the lease. The server ignores this if the lease is not ours any more. */
  async giveBack(reason: string, attempted: boolean): Promise<void> {
    const variables = { input: { run: this.id, reason, attempted } };
    const { client, giveUp } = this.#host;
    const answer = await client.insist(returnLeaseDocument, variables, { signal: giveUp });
    const { returned } = payloadOf(answer.returnLease, 'ReturnLeasePayload');
    this.#log.info({ attempted, returned, reason }, 'lease returned');
  }

  /** Notes that the server has assigned the run, so that the next executor can return it. */
  async note(): Promise<void> {
    if (this.#spec instanceof RunError) return;
    await this.#host.records.write({ spec: this.#spec, inputUris: [], phase: 'HEARD' });
  }

  /** Tells the server that a run was stopped before it began. */
  async endUnstarted(reason: StopReason): Promise<void> {
    if (reason === 'TOLD') await this.#report({ kind: 'CANCELLED' });
    else await this.giveBack(returnReasons[reason], false);
    await this.#host.records.remove(this.id);
  }

  /** Returns a run that never fits. It counts as an attempt, so that it is not assigned here endlessly. */
  async refuse(): Promise<void> {
    await this.giveBack('the job asks for more than the machine of the executor has', true);
    await this.#host.records.remove(this.id);
  }

  async #run(work: RunWork | null, logs: LogSender): Promise<RunOutcome> {
    if (work === null) return failed(this.#spec as RunError);
    const { client, leave, giveUp } = this.#host;
    try {
      return await work.run({
        ...{ leave, giveUp, signal: this.#stop.signal },
        blobs: createBlobStore(client, { id: this.id, inputBlobs: this.#inputBlobs }),
        onStarted: () => this.#onStarted(),
        onLog: (chunk) => logs.add(chunk),
      });
    } catch (error) {
      this.#log.error({ err: error }, 'the runtime failed');
      return failed({ code: 'ExecutorFailure', message: 'the executor failed', kind: 'SYSTEM' });
    }
  }

  #onStarted(): void {
    this.#isStarted = true;
    this.#startReport = this.#report({ kind: 'RUNNING' }).catch((error) => {
      if (!this.#host.giveUp.aborted) this.#log.error({ err: error }, 'the run cannot start');
    });
  }

  #keepLease({ kind }: RunOutcome): void {
    if (kind === 'LEFT') this.#log.info('the run continues; the next executor with this name attaches to it');
    else this.#log.error('keeping the lease, because the run could not be ended');
  }

  /** Tells the server the result of the run, and repeats this until it succeeds. */
  async #conclude(outcome: Exclude<RunOutcome, { kind: 'STUCK' | 'LEFT' }>): Promise<void> {
    switch (outcome.kind) {
      case 'SUCCEEDED':
        // Even if the run was to be stopped: if the work ended first, its result counts.
        return await this.#reportSuccess(outcome);
      case 'CANCELLED':
        return await this.#reportStopped();
      case 'NOT_BEGUN':
        return await this.giveBack(outcome.reason, false);
      case 'LOST':
        return await this.#reportFailure(outcome.error, null);
      case 'FAILED': {
        const { error, exitCode } = outcome;
        // The work may succeed elsewhere or later. It counts as an attempt, so that it is not repeated endlessly.
        if (error.kind === 'SYSTEM') return await this.giveBack(`${error.code}: ${error.message}`, true);
        return await this.#reportFailure(error, exitCode);
      }
    }
  }

  async #reportStopped(): Promise<void> {
    const reason = this.#stopReason;
    if (reason === 'TOLD') await this.#report({ kind: 'CANCELLED' });
    // Losing contact is not the fault of the work, so it does not count as an attempt.
    else if (reason === 'LEASE_LOST') await this.giveBack(returnReasons.LEASE_LOST, false);
    else await this.giveBack(returnReasons.DRAINING, this.#isStarted || this.#record !== null);
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

function specOf(leased: LeasedRun): RunSpec | RunError {
  try {
    return readLeasedRun(leased);
  } catch (error) {
    if (error instanceof RunError) return error;
    throw error;
  }
}

function failed({ code, message, kind }: RunFailure): RunOutcome {
  return { kind: 'FAILED', error: { code, message, kind }, exitCode: null, signal: null };
}

import type { Ask } from '../client.ts';
import { leaseJobsDocument, reportJobEventsDocument } from './documents.ts';
import { refusal } from './sign-in.ts';

export interface LoadRun {
  readonly id: string;
  readonly jobId: string;
}

export type ReportOutcome = 'APPLIED' | 'REPEATED' | 'FENCED';

export interface LoadExecutorOptions {
  readonly name: string;
  readonly pool: string;
  /** How many runs it takes at the same time, 1 to 100. */
  readonly slots: number;
  /** The id of the process that has the name; null for none, so that another one can have it at once. */
  readonly instance: string | null;
  /** The runs that it knows from an earlier life. */
  readonly knownRuns?: readonly string[];
}

/** How many reports one call takes. */
const MAX_REPORTS = 500;

/** An executor that runs nothing: it leases runs, and reports that they have succeeded. */
export class LoadExecutor {
  readonly #ask: Ask;
  readonly #options: LoadExecutorOptions;
  readonly #known: Set<string>;

  constructor(ask: Ask, options: LoadExecutorOptions) {
    this.#ask = ask;
    this.#options = options;
    this.#known = new Set(options.knownRuns);
  }

  get knownRuns(): string[] {
    return [...this.#known];
  }

  /** How many more runs it takes. */
  get room(): number {
    return Math.max(this.#options.slots - this.#known.size, 0);
  }

  /**
   * One call: names all runs that it knows, and waits for more. It confirms at once that runs have stopped that the
   * server wants stopped.
   *
   * @returns the runs that are new.
   */
  async lease(waitSeconds: number, { isLast = false, room = this.room } = {}): Promise<readonly LoadRun[]> {
    const { name, pool, instance } = this.#options;
    const { leaseJobs } = await this.#ask(leaseJobsDocument, {
      input: {
        ...{ executor: name, pool, instance, isLast },
        knownRuns: this.knownRuns,
        maxJobs: room,
        wait: `PT${waitSeconds}S`,
      },
    });
    if (leaseJobs?.__typename !== 'LeaseJobsPayload') throw refusal(`leasing jobs as ${name}`, leaseJobs);
    const { runs, cancelRuns } = leaseJobs;
    for (const { id } of runs) this.#known.add(id);
    if (cancelRuns.length > 0) {
      await this.#report(cancelRuns.map((run) => ({ run, kind: 'CANCELLED' as const })));
      for (const id of cancelRuns) this.#known.delete(id);
    }
    return runs;
  }

  /**
   * Reports that these runs have succeeded, and before that they have begun, if it should.
   *
   * @returns the outcome of each end, in their order.
   */
  async finish(runs: readonly LoadRun[], { saysBegun = false } = {}): Promise<ReportOutcome[]> {
    const outcomes: ReportOutcome[] = [];
    const step = saysBegun ? MAX_REPORTS / 2 : MAX_REPORTS;
    for (let at = 0; at < runs.length; at += step) {
      const some = runs.slice(at, at + step);
      const ends = some.map(({ id: run }) => ({ run, kind: 'SUCCEEDED' as const, exitCode: 0 }));
      const begins = saysBegun ? some.map(({ id: run }) => ({ run, kind: 'RUNNING' as const })) : [];
      const answers = await this.#report([...begins, ...ends]);
      outcomes.push(...answers.slice(begins.length));
      for (const { id } of some) this.#known.delete(id);
    }
    return outcomes;
  }

  /** Ends all that the server wants stopped, and tells that the name is free. */
  async signOff(): Promise<void> {
    await this.lease(0, { room: 0 });
    await this.lease(0, { room: 0, isLast: true });
  }

  async #report(
    events: readonly {
      readonly run: string;
      readonly kind: 'RUNNING' | 'SUCCEEDED' | 'CANCELLED';
      readonly exitCode?: number;
    }[],
  ): Promise<readonly ReportOutcome[]> {
    const occurredAt = new Date().toISOString();
    const { reportJobEvents } = await this.#ask(reportJobEventsDocument, {
      input: { events: events.map((event) => ({ ...event, occurredAt })) },
    });
    if (reportJobEvents?.__typename !== 'ReportJobEventsPayload')
      throw refusal('reporting about jobs', reportJobEvents);
    return reportJobEvents.outcomes;
  }
}

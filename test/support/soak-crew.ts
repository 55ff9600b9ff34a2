/** Executors that run nothing and are killed, and a way to the servers that survives their restarts. */
import { CliError } from '../../src/cli/cli-error.ts';
import { type Ask, createClient } from '../../src/cli/client.ts';
import { LoadExecutor, type LoadRun, type ReportOutcome } from '../../src/cli/load/load-executor.ts';
import { pause } from './pause.ts';

/** Asks the servers in turn, and asks the next one if one does not answer. */
export function askInTurn(urls: () => readonly string[], authorization: string): Ask {
  let turn = 0;
  return async (document, variables) => {
    for (let tries = 1; ; tries += 1) {
      const list = urls();
      turn += 1;
      const url = list[turn % list.length] ?? '';
      try {
        return await createClient({ url, authorization, timeoutSeconds: 60 })(document, variables);
      } catch (error) {
        const mayPass =
          error instanceof CliError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'ABORTED'].includes(error.code);
        if (!mayPass || tries === 200) throw error;
        await pause(20);
      }
    }
  };
}

/** One life of an executor: it ends without a word. */
interface Life {
  readonly executor: LoadExecutor;
  /** The runs that it has named, and not finished. */
  readonly runs: Map<string, LoadRun>;
  isOver: boolean;
  readonly work: Promise<void>;
}

export interface CrewOptions {
  readonly pool: string;
  readonly slots: number;
  /** How long a run takes. */
  readonly holdMs: () => number;
}

/** An executor that can be killed and start again, with or without its records. */
export class CrewMember {
  readonly name: string;
  readonly outcomes = new Map<ReportOutcome, number>();
  readonly #ask: Ask;
  readonly #options: CrewOptions;
  #life: Life;

  constructor(ask: Ask, name: string, options: CrewOptions) {
    this.#ask = ask;
    this.name = name;
    this.#options = options;
    this.#life = this.#begin([]);
  }

  /**
   * Kills it, and starts the next one of its name.
   *
   * @param remembers  whether the next one knows the runs of this one.
   * @returns what can still report about the runs of this one.
   */
  kill({ remembers }: { readonly remembers: boolean }): {
    runs: LoadRun[];
    report(): Promise<ReportOutcome[]>;
  } {
    const dead = this.#life;
    dead.isOver = true;
    const runs = [...dead.runs.values()];
    this.#life = this.#begin(remembers ? runs : []);
    return { runs, report: () => dead.executor.finish(runs, { saysBegun: true }) };
  }

  /** Ends it after the calls that it has begun. @throws what has ended its work. */
  async stop(): Promise<void> {
    this.#life.isOver = true;
    await this.#life.work;
  }

  #begin(known: readonly LoadRun[]): Life {
    const { pool, slots } = this.#options;
    const knownRuns = known.map(({ id }) => id);
    const executor = new LoadExecutor(this.#ask, { name: this.name, pool, slots, instance: null, knownRuns });
    const life = {
      executor,
      runs: new Map(known.map((run) => [run.id, run])),
      isOver: false,
      work: Promise.resolve(),
    };
    life.work = this.#live(life, known);
    // Whoever stops it hears of its failure.
    life.work.catch(() => {});
    return life;
  }

  async #live(life: Life, known: readonly LoadRun[]): Promise<void> {
    const finishing = new Set<Promise<void>>();
    const finish = (runs: readonly LoadRun[]) => {
      const end = this.#finish(life, runs).finally(() => finishing.delete(end));
      finishing.add(end);
      end.catch(() => {});
    };
    if (known.length > 0) finish(known);
    while (!life.isOver) {
      if (life.executor.room === 0) await Promise.race(finishing);
      const runs = await life.executor.lease(1);
      // An executor that was killed has not heard the answer.
      if (life.isOver) break;
      for (const run of runs) life.runs.set(run.id, run);
      if (runs.length > 0) finish(runs);
    }
    await Promise.all(finishing);
  }

  async #finish(life: Life, runs: readonly LoadRun[]): Promise<void> {
    await pause(this.#options.holdMs());
    if (life.isOver) return;
    for (const outcome of await life.executor.finish(runs, { saysBegun: true }))
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    for (const { id } of runs) life.runs.delete(id);
  }
}

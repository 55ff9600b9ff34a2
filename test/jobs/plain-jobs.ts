/** Jobs that a user submits, and an executor of a pool of their own that runs them. */
import { pool as database } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import type { Answer, App } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { homeTenant } from '../support/users.ts';
import { Stage } from './stage.ts';

export const plainJob = (more: object = {}) => ({ container: { image: 'x', command: ['true'] }, ...more });

export interface PlainRun {
  readonly id: string;
  readonly jobId: string;
}

/** A queue with a pool of its own. */
export class PlainQueue {
  readonly app: App;
  readonly id: string;
  readonly name: string;
  readonly stage: Stage;
  #calls = 0;

  private constructor(app: App, id: string, name: string, stage: Stage) {
    this.app = app;
    this.id = id;
    this.name = name;
    this.stage = stage;
  }

  static async open(app: App): Promise<PlainQueue> {
    const name = `queue-${newId()}`;
    const id = await make(app, 'createQueue', { name }, 'queue');
    return new PlainQueue(app, id, name, await Stage.open(app, await homeTenant()));
  }

  get pool(): string {
    return this.name;
  }

  /** @returns the ids of the jobs. */
  async submit(jobs: readonly object[] = [{}], jobSet = 'set'): Promise<string[]> {
    const answer = await mutate(
      this.app,
      'submitJobs',
      { queue: this.name, jobSet, jobs: jobs.map((job) => plainJob({ pool: this.pool, ...job })) },
      'results { job { id } }',
    );
    if (!answer.results) throw new Error(JSON.stringify(answer));
    return answer.results.map(({ job }: Answer) => job.id);
  }

  #lease = (maxJobs: number, knownRuns: readonly string[]) =>
    mutate(
      this.app,
      'leaseJobs',
      { executor: this.name, pool: this.pool, maxJobs, knownRuns, wait: 'PT0S' },
      'runs { id jobId } cancelRuns',
      this.app.executor,
    );

  /** Assigns all jobs that wait, and confirms their runs unless told otherwise. */
  async begin({ confirmed = true } = {}): Promise<PlainRun[]> {
    const known: string[] = this.#calls++ === 0 ? [] : await this.#known();
    await this.#lease(100, known);
    await this.stage.assign(this.pool);
    const answer = await this.#lease(0, known);
    if (!answer.runs) throw new Error(JSON.stringify(answer));
    const { runs } = answer;
    if (confirmed) await this.#lease(0, [...known, ...runs.map(({ id }: PlainRun) => id)]);
    return runs;
  }

  async #known(): Promise<string[]> {
    const sql = `select run.id from job_runs as run join jobs as job on job.id = run.job_id
                  where job.queue_id = $1 and run.ended_at is null`;
    return (await database.query(sql, [this.id])).rows.map(({ id }) => id);
  }

  /** Tells about a run. */
  async report(
    run: PlainRun,
    kind: 'RUNNING' | 'SUCCEEDED' | 'CANCELLED',
    more: object = {},
  ): Promise<string[]> {
    const event = { run: run.id, kind, occurredAt: new Date().toISOString(), ...more };
    const answer = await mutate(
      this.app,
      'reportJobEvents',
      { events: [event] },
      'outcomes',
      this.app.executor,
    );
    return answer.outcomes;
  }
}

export async function eventsOf(jobId: string): Promise<{ kind: string; detail: Answer }[]> {
  const sql = 'select kind, detail from job_events where job_id = $1 order by sequence';
  return (await database.query(sql, [jobId])).rows;
}

export const kindsOf = async (jobId: string) => (await eventsOf(jobId)).map(({ kind }) => kind);

export async function statesOf(ids: readonly string[]): Promise<string[]> {
  const sql =
    'select job.state from unnest($1::uuid[]) with ordinality as asked(id, number) join jobs as job using (id) order by number';
  return (await database.query(sql, [ids])).rows.map(({ state }) => state);
}

/** Jobs that are stored at once, without the API. @returns nothing; they wait in the job set. */
export async function crowd(queue: PlainQueue, jobSet: string, count: number): Promise<void> {
  const [model] = await queue.submit([{}], jobSet);
  await database.query(
    `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool)
     select gen_random_uuid(), tenant_id, queue_id, job_set_id, spec, owner_id, 'nowhere'
       from jobs, generate_series(2, $2::int) where id = $1`,
    [model, count],
  );
}

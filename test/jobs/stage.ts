/** A queue whose jobs the test submits and assigns itself, because there is no scheduler. */
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { type NewJobRequest, submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import type { Answer, App } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller } from '../support/users.ts';

export const newJob = (more: Partial<NewJobRequest> = {}): NewJobRequest => ({
  clientId: null,
  priority: 0,
  activeDeadlineSeconds: null,
  labels: {},
  spec: {
    container: { image: 'x', command: ['true'], args: [], env: [], resources: { requests: [], limits: [] } },
    interface: { inputs: {}, outputs: {} },
    inputs: {},
    environment: {},
    terminationGraceSeconds: 1,
  },
  ...more,
});

export class Stage {
  readonly app: App;
  readonly tenantId: string;
  readonly userId: string;
  readonly queueId: string;

  private constructor(
    app: App,
    { tenantId, userId, queueId }: Record<'tenantId' | 'userId' | 'queueId', string>,
  ) {
    this.app = app;
    this.tenantId = tenantId;
    this.userId = userId;
    this.queueId = queueId;
  }

  /** A stage in the tenant of the administrator, or in another one. */
  static async open(app: App, tenantId?: string): Promise<Stage> {
    const { id: userId, tenantId: home } = await db.user.findFirstOrThrow({ where: { username: 'admin' } });
    const tenant = tenantId ?? home;
    const { id } = await db.queue.create({
      data: { id: newId(), tenantId: tenant, name: `stage-${newId()}` },
    });
    return new Stage(app, { tenantId: tenant, userId, queueId: id });
  }

  /** Jobs in a job set of their own. */
  async submit(...jobs: NewJobRequest[]): Promise<{ ownerId: string; ids: string[] }> {
    const ownerId = newId();
    const set = { name: ownerId, ownerId, projectId: null, workflowEntityId: null };
    const queue = { id: this.queueId, tenantId: this.tenantId };
    const caller = systemCaller(this.tenantId, this.userId);
    return { ownerId, ids: await inTransaction((tx) => submitJobs(caller, tx, queue, set, jobs)) };
  }

  /** Jobs in a job set without an owner. */
  async submitTo(name: string, ...jobs: NewJobRequest[]): Promise<string[]> {
    const set = { name, ownerId: null, projectId: null, workflowEntityId: null };
    const queue = { id: this.queueId, tenantId: this.tenantId };
    const caller = systemCaller(this.tenantId, this.userId);
    return await inTransaction((tx) => submitJobs(caller, tx, queue, set, jobs));
  }

  /** Leaves no work and no room of earlier tests. */
  async clear(): Promise<void> {
    for (const table of ['job_runs', 'jobs'])
      await pool.query(`update ${table} set state = 'CANCELLED', ended_at = now() where ended_at is null`);
    await pool.query('update executors set slots = 0');
  }

  assign = (name = 'default') => assignPool({ tenantId: this.tenantId, name }, 30);

  /** An executor, and the runs of so many new jobs that it has named once. */
  async lease(name: string, count = 1): Promise<{ hands: Hands; runs: Run[]; ownerId: string }> {
    const { ownerId } = await this.submit(...Array.from({ length: count }, () => newJob()));
    const hands = new Hands(this.app, name);
    await hands.lease({ maxJobs: count, wait: 'PT0S' });
    await this.assign();
    const { runs } = await hands.lease({ maxJobs: count, wait: 'PT0S' });
    if (runs.length !== count) throw new Error(`${runs.length} runs`);
    await retire(hands);
    return { hands, runs, ownerId };
  }
}

/** Tells the server that the executor takes no more jobs. */
export const retire = (hands: Hands) => hands.lease({ maxJobs: 0, wait: 'PT0S' });

/** As if these runs had not been renewed for long. */
export const silence = (...runs: readonly Run[]) =>
  pool.query(`update job_runs set lease_expires_at = now() - interval '1 second' where id = any($1)`, [
    runs.map(({ id }) => id),
  ]);

export const jobOf = ({ jobId }: Run) => db.job.findUniqueOrThrow({ where: { id: jobId } });
export const runOf = ({ id }: { readonly id: string }) => db.jobRun.findUniqueOrThrow({ where: { id } });

/** The Authorization header of a service account with executors of its own. */
export const newService = (tenantId?: string) =>
  newCaller({ role: 'SYSTEM', scopes: ['executor'], ...(tenantId ? { tenantId } : {}) });

/** One call of `leaseJobs` with this input. */
export const leaseAs = (app: App, input: object, authorization = app.executor): Promise<Answer> =>
  mutate(
    app,
    'leaseJobs',
    { executor: 'one', knownRuns: [], maxJobs: 0, ...input },
    'runs { id jobId activeDeadline terminationGrace } cancelRuns leaseDuration',
    authorization,
  );

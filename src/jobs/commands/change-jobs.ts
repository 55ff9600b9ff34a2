import { noteDenial } from '../../authorization/audit.ts';
import { refusal } from '../../authorization/can.ts';
import type { Permission } from '../../authorization/domain/permissions.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { type DomainError, InvalidArgumentError } from '../../platform/errors.ts';
import {
  type Hindrance,
  hasEnded,
  type JobChangeOutcome,
  MAX_JOB_IDS,
  MAX_REASON,
} from '../domain/job-changes.ts';
import { jobTarget } from '../domain/targets.ts';
import { type JobRow, readJobs } from '../store/reads.ts';

/** What became of one job that a request names. */
export interface JobChange {
  readonly id: string;
  /** Whether the caller may see the job. */
  readonly isShown: boolean;
  readonly outcome: JobChangeOutcome;
  /** Why it was not changed; null if it was, or if it is already as asked. */
  readonly error: DomainError | null;
}

/** How many jobs of a set or queue one transaction changes, and how many transactions one request has. */
const BATCH = 1000;
const MAX_BATCHES = 10;

/** How far a request about many jobs came. */
export interface Progress {
  /** How many jobs it changed. */
  readonly count: number;
  /** Whether there may be more jobs to change. */
  readonly hasMore: boolean;
}

/** Which of the named jobs count, if a request also names their queue and job set. All others are not found. */
export interface JobPlaces {
  readonly queue?: string | null;
  readonly jobSet?: string | null;
}

/**
 * Changes jobs that a request names. The rights of the caller on all of them are checked first. A job that cannot be
 * changed does not keep the others from it.
 *
 * @param change  changes jobs that nothing hinders, and returns the ids of those that it really changed.
 * @returns one result for each id, in the order of the ids.
 * @throws InvalidArgumentError if there are too many ids.
 */
export async function changeJobs(
  caller: Caller,
  permission: Permission,
  ids: readonly string[],
  places: JobPlaces,
  hindranceTo: (job: JobRow) => Hindrance | null,
  change: (ids: readonly string[]) => Promise<readonly string[]>,
): Promise<JobChange[]> {
  if (ids.length > MAX_JOB_IDS)
    throw InvalidArgumentError.of(['input', 'ids'], `must have at most ${MAX_JOB_IDS} ids`, 'TooLarge');
  const distinct = [...new Set(ids)];
  const found = (await readJobs(caller.tenantId, distinct)).map((job) => (isAt(job, places) ? job : null));
  const judged = await Promise.all(
    found.map(async (job, at) => {
      const id = distinct[at] ?? '';
      const error = await refusalOf(caller, permission, id, job, String(ids.indexOf(id)));
      if (error) return refused(id, error);
      const hindrance = job && hindranceTo(job);
      return hindrance ? { id, isShown: true, ...hindrance } : null;
    }),
  );
  const allowed = distinct.filter((_, at) => judged[at] === null);
  const done = new Set(allowed.length > 0 ? await change(allowed) : []);
  const after = await readJobs(
    caller.tenantId,
    allowed.filter((id) => !done.has(id)),
  );
  const rows = new Map(after.flatMap((job) => (job ? [[job.id, job] as const] : [])));
  const results = distinct.map(
    (id, at): JobChange => judged[at] ?? outcomeOf(id, done.has(id), rows.get(id)),
  );
  const byId = new Map(results.map((result) => [result.id, result]));
  return ids.map((id) => byId.get(id) as JobChange);
}

const isAt = (job: JobRow | null, { queue, jobSet }: JobPlaces): boolean =>
  job !== null && (queue == null || job.queue === queue) && (jobSet == null || job.jobSet === jobSet);

const refused = (id: string, error: DomainError): JobChange => ({
  id,
  isShown: error.code !== 'NOT_FOUND',
  outcome: error.code === 'NOT_FOUND' ? 'NOT_FOUND' : 'NOT_ALLOWED',
  error,
});

/** A job that was not changed although nothing hindered it: it has ended since then, or it is already as asked. */
function outcomeOf(id: string, isDone: boolean, job: JobRow | undefined): JobChange {
  if (!isDone && job?.endedAt) return { id, isShown: true, ...hasEnded(job) };
  return { id, isShown: true, outcome: isDone ? 'DONE' : 'UNCHANGED', error: null };
}

/** A refusal stands in the audit log, as if the request had named this job alone. */
async function refusalOf(
  caller: Caller,
  permission: Permission,
  id: string,
  job: JobRow | null,
  index: string,
): Promise<DomainError | null> {
  const error = await refusal(caller, permission, {
    kind: 'job',
    key: id,
    path: ['input', 'ids', index],
    target: async () => job && jobTarget(job),
  });
  if (error?.refusal)
    noteDenial(caller, {
      code: error.code,
      action: error.refusal.action ?? permission,
      target: error.refusal.target ?? null,
    });
  return error;
}

/**
 * Changes jobs a thousand at a time, each time in a transaction of its own, and at most ten times.
 *
 * @param list  up to so many jobs that are still to be changed.
 */
export async function changeInBatches(
  list: (limit: number) => Promise<readonly string[]>,
  change: (tx: Tx, ids: readonly string[]) => Promise<readonly string[]>,
): Promise<Progress> {
  let count = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const ids = await list(BATCH);
    if (ids.length > 0) count += (await inTransaction((tx) => change(tx, ids))).length;
    if (ids.length < BATCH) return { count, hasMore: false };
  }
  return { count, hasMore: true };
}

/** @throws InvalidArgumentError if the reason is too long. */
export function requireReason(reason: string | null): void {
  if ((reason?.length ?? 0) > MAX_REASON)
    throw InvalidArgumentError.of(
      ['input', 'reason'],
      `the reason must have at most ${MAX_REASON} characters`,
    );
}

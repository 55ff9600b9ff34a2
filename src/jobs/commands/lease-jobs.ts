import type { Caller } from '../../platform/caller.ts';
import { newsOf } from '../../platform/database/news.ts';
import {
  type DomainError,
  FailedPreconditionError,
  InvalidArgumentError,
  type Problem,
} from '../../platform/errors.ts';
import { isId, newId } from '../../platform/ids.ts';
import {
  type LeasedRun,
  listHeldRuns,
  listUnknownRuns,
  ownsExecutor,
  recordHeartbeat,
} from '../store/leases.ts';
import { resumeRuns } from '../store/runs.ts';

export interface LeaseRequest {
  readonly executor: string;
  /** An id of the calling process; null: it gives none. */
  readonly instance: string | null;
  /** Whether the process gives the name up with this call. */
  readonly isLast: boolean;
  readonly pool: string;
  readonly nodes: readonly object[];
  /** Every run that the executor has, also those it only heard of. */
  readonly knownRuns: readonly string[];
  /** Those of them that it is stopping already: they are no reason to answer at once. */
  readonly stoppingRuns: readonly string[];
  /** How many more it would take. */
  readonly maxJobs: number;
  readonly waitMs: number;
}

export interface LeaseAnswer {
  readonly runs: readonly LeasedRun[];
  /** Runs that the executor named and must stop: somebody cancelled them, or they have ended for the server. */
  readonly cancelRuns: readonly string[];
  readonly leaseExpiresAt: Date;
  /** The same as a length of time, from the moment the call came in: an executor's clock may be wrong. */
  readonly leaseMs: number;
}

const MAX_WAIT_MS = 30_000;
const MAX_RUNS = 100;
const MAX_KNOWN_RUNS = 2500;
/** News may be lost; so a waiting call looks at the tables this often in any case. */
const LOOK_MS = 5_000;
const nameForm = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * One call of an executor: its sign of life, the renewal of the leases it names, and a long poll for work. A lease that
 * ended while the executor was not heard of is given back to it if nobody else has the job.
 *
 * Answers as soon as there is something to say, else empty after `waitMs` (at most 30 s, and a third of the lease, so
 * that the next call renews in time). A run is answered again until it is named in `knownRuns`: a lost answer loses
 * nothing.
 *
 * @throws InvalidArgumentError naming the field.
 * @throws FailedPreconditionError while another process has the name. It has lost the name when it was silent for a
 *   lease.
 * Source: Armada's LeaseJobRuns.
 */
export async function leaseJobs(
  caller: Caller,
  request: LeaseRequest,
  { leaseSeconds, signal }: { leaseSeconds: number; signal: AbortSignal },
): Promise<LeaseAnswer> {
  const problems = leaseProblems(request);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const started = Date.now();
  const stopping = new Set(request.stoppingRuns);
  // Before the executor is seen again, and could be given the same jobs anew.
  await resumeRuns(
    caller,
    request.knownRuns.filter((id) => !stopping.has(id)),
    leaseSeconds,
  );
  const beat = await recordHeartbeat({
    tenantId: caller.tenantId,
    userId: caller.userId,
    newId: newId(),
    name: request.executor,
    pool: request.pool,
    nodes: request.nodes,
    knownRuns: request.knownRuns,
    maxJobs: request.maxJobs,
    leaseSeconds,
    instance: request.instance,
    isLast: request.isLast,
  });
  if (!beat) throw await refusalOf(caller, request.executor, leaseSeconds);
  const { executorId, leaseExpiresAt } = beat;
  const leaseMs = leaseSeconds * 1000;
  const deadline = started + Math.min(request.waitMs, MAX_WAIT_MS, leaseMs / 3);
  const look = async (): Promise<LeaseAnswer> => {
    const runs = await listUnknownRuns(executorId, request.knownRuns, MAX_RUNS);
    const held = request.knownRuns.length > 0 ? await listHeldRuns(executorId, request.knownRuns) : [];
    const goesOn = new Set(held.filter((run) => !run.isCancelled).map((run) => run.id));
    return { runs, cancelRuns: request.knownRuns.filter((id) => !goesOn.has(id)), leaseExpiresAt, leaseMs };
  };
  const saysNothing = ({ runs, cancelRuns }: LeaseAnswer) =>
    runs.length === 0 && cancelRuns.every((id) => stopping.has(id));
  // Listening starts before the first look, so that what happens in between is not missed.
  const news = newsOf('executor', executorId, signal);
  try {
    let answer = await look();
    while (saysNothing(answer)) {
      const left = deadline - Date.now();
      if (left <= 0 || signal.aborted) break;
      await news.next(Math.min(left, LOOK_MS));
      answer = await look();
    }
    return answer;
  } finally {
    news.close();
  }
}

async function refusalOf(caller: Caller, name: string, leaseSeconds: number): Promise<DomainError> {
  if (!(await ownsExecutor(caller, name)))
    return InvalidArgumentError.of(
      ['input', 'executor'],
      'an executor of this name belongs to another service account',
    );
  return new FailedPreconditionError(
    `another process works as executor ${name}: use another name, or wait until that process has ended or was silent for ${leaseSeconds} s`,
  );
}

function leaseProblems(request: LeaseRequest): Problem[] {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  if (!nameForm.test(request.executor)) fault('executor', 'an executor is named by a DNS-1123 label');
  if (request.instance !== null && !isId(request.instance)) fault('instance', 'an instance is a UUIDv7');
  if (!nameForm.test(request.pool)) fault('pool', 'a pool is named by a DNS-1123 label');
  if (request.knownRuns.length > MAX_KNOWN_RUNS) fault('knownRuns', `more than ${MAX_KNOWN_RUNS} runs`);
  if (!request.knownRuns.every(isId)) fault('knownRuns', 'a run id is a UUIDv7');
  const known = new Set(request.knownRuns);
  if (!request.stoppingRuns.every((id) => known.has(id)))
    fault('stoppingRuns', 'name these in knownRuns too');
  if (request.maxJobs < 0 || request.maxJobs > MAX_RUNS) fault('maxJobs', `must lie in 0 … ${MAX_RUNS}`);
  if (request.waitMs < 0) fault('wait', 'must not be negative');
  return problems;
}

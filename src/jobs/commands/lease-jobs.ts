import type { Caller } from '../../platform/caller.ts';
import { newsOf } from '../../platform/database/news.ts';
import {
  type DomainError,
  FailedPreconditionError,
  InvalidArgumentError,
  type Problem,
} from '../../platform/errors.ts';
import { isId, newId } from '../../platform/ids.ts';
import { isDnsLabel } from '../domain/dns-label.ts';
import { nodeProblems, type ReportedNode } from '../domain/reported-nodes.ts';
import {
  type LeasedRun,
  listHeldRuns,
  listUnknownRuns,
  ownsExecutor,
  recordHeartbeat,
  renewRunsOf,
} from '../store/leases.ts';
import { resumeRuns } from '../store/runs.ts';

export interface LeaseRequest {
  readonly executor: string;
  /** The id of the calling process; null if it has none. */
  readonly instance: string | null;
  /** Whether another process may use the name after this call. */
  readonly isLast: boolean;
  readonly pool: string;
  readonly nodes: readonly ReportedNode[];
  /** All runs that the executor knows, even if it has not started them. */
  readonly knownRuns: readonly string[];
  /** The known runs that it is already stopping. They are not a reason to answer at once. */
  readonly stoppingRuns: readonly string[];
  /** How many more jobs it can take. */
  readonly maxJobs: number;
  readonly waitMs: number;
}

export interface LeaseAnswer {
  readonly runs: readonly LeasedRun[];
  /** Known runs that the executor must stop, because they are cancelled or have ended for the server. */
  readonly cancelRuns: readonly string[];
  readonly leaseExpiresAt: Date;
  /** How long the leases last, from the moment when the call arrived, because the clock of an executor may be wrong. */
  readonly leaseMs: number;
}

const MAX_WAIT_MS = 30_000;
const MAX_RUNS = 100;
const MAX_KNOWN_RUNS = 2500;
/** News may be lost, so a waiting call looks at the tables this often. */
const LOOK_MS = 5_000;

/**
 * One call of an executor. It says that the executor is alive, renews the leases of the known runs, and waits for work.
 * If a lease ended because the executor was silent, the executor gets it back, unless another executor has the job.
 *
 * Answers as soon as there is something to start or stop, and otherwise after `waitMs`: at most 30 s, and at most a
 * third of a lease, so that the next call renews in time. A run is repeated in the answers until it is in `knownRuns`,
 * so a lost answer does no harm.
 *
 * @throws InvalidArgumentError with the field.
 * @throws FailedPreconditionError while another process has the name. A process loses the name when it was silent for as
 *   long as a lease.
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
  // Must come before the heartbeat. Otherwise, the executor could be assigned the same jobs again.
  if (!(await keepLeases(caller, request, leaseSeconds)))
    throw await refusalOf(caller, request.executor, leaseSeconds);
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
    const held = await listHeldRuns(executorId, request.knownRuns);
    const goesOn = new Set(held.filter((run) => !run.mustStop).map((run) => run.id));
    return { runs, cancelRuns: request.knownRuns.filter((id) => !goesOn.has(id)), leaseExpiresAt, leaseMs };
  };
  const saysNothing = ({ runs, cancelRuns }: LeaseAnswer) =>
    runs.length === 0 && cancelRuns.every((id) => stopping.has(id));
  // Listen before the first read, so that changes in between are not missed.
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

/**
 * Renews the leases of the known runs. Those that expired, also a moment ago, are given back. In the other order, a lease
 * that expires between the two steps would be lost.
 *
 * @returns false, and does nothing, if another process has the name of the executor. The call must end then: a moment
 *   later it may get the name, but then its leases would not be renewed.
 */
async function keepLeases(
  caller: Caller,
  { executor, instance, knownRuns, stoppingRuns }: LeaseRequest,
  leaseSeconds: number,
): Promise<boolean> {
  const held = await renewRunsOf(caller.userId, { name: executor, instance }, knownRuns, leaseSeconds);
  if (!held) return false;
  const goesOn = new Set([...held.map(({ id }) => id), ...stoppingRuns]);
  const ended = knownRuns.filter((id) => !goesOn.has(id));
  await resumeRuns(caller, ended, leaseSeconds, executor);
  return true;
}

async function refusalOf(caller: Caller, name: string, leaseSeconds: number): Promise<DomainError> {
  if (!(await ownsExecutor(caller, name)))
    return InvalidArgumentError.of(
      ['input', 'executor'],
      'another service account has an executor with this name; choose another name',
    );
  return new FailedPreconditionError(
    `another process uses the executor name ${name}: choose another name, or wait until that process ends or has been silent for ${leaseSeconds} s`,
  );
}

function leaseProblems(request: LeaseRequest): Problem[] {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  if (!isDnsLabel(request.executor)) fault('executor', 'the name of an executor must be a DNS-1123 label');
  if (request.instance !== null && !isId(request.instance)) fault('instance', 'must be a UUIDv7');
  if (!isDnsLabel(request.pool)) fault('pool', 'the name of a pool must be a DNS-1123 label');
  if (request.knownRuns.length > MAX_KNOWN_RUNS)
    fault('knownRuns', `must have at most ${MAX_KNOWN_RUNS} runs`);
  if (!request.knownRuns.every(isId)) fault('knownRuns', 'a run id must be a UUIDv7');
  const known = new Set(request.knownRuns);
  if (!request.stoppingRuns.every((id) => known.has(id)))
    fault('stoppingRuns', 'these runs must be in knownRuns too');
  if (request.maxJobs < 0 || request.maxJobs > MAX_RUNS)
    fault('maxJobs', `must be between 0 and ${MAX_RUNS}`);
  problems.push(...nodeProblems(request.nodes, ['input', 'nodes']));
  if (request.waitMs < 0) fault('wait', 'must not be negative');
  return problems;
}

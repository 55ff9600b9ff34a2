import { isRecord } from '../../../values/json.ts';
import type { Requests, RunFailure, RuntimeNode } from '../../host/runtime.ts';
import type { SlurmVersion } from './slurm-version.ts';

/** Pure rules: what we send to Slurm, and what its answers mean. The form of both depends on the version of the API. */

const MEBIBYTE = 2 ** 20;
const JOB_NAME = 'slipway-';
const OUR_NAME = new RegExp(`^${JOB_NAME}([A-Za-z0-9][A-Za-z0-9_-]{0,99})$`);

/** A job of Slurm that runs one run. Its name has the id of the run, so that it is found without its number. */
export const jobName = (runId: string) => `${JOB_NAME}${runId}`;

/** The run that a job with this name runs; null if we would not give this name. */
export const runIdOf = (name: string): string | null => OUR_NAME.exec(name)?.[1] ?? null;

export interface Submission {
  readonly runId: string;
  readonly jobId: string;
  readonly folder: string;
  /** The script that the job executes. */
  readonly launcher: string;
  /** The file for what the shell and Slurm say. */
  readonly said: string;
  readonly requests: Requests;
  readonly node: string | null;
  readonly timeLimitMinutes: number | null;
  readonly partition: string | null;
  readonly account: string | null;
}

/** The body of `POST job/submit`. */
export function submission(version: SlurmVersion, one: Submission): object {
  const { requests, node, partition, account, timeLimitMinutes } = one;
  const isOld = version < 39;
  const number = (value: number) => (isOld ? value : { set: true, number: value });
  const environment = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  const gpus = requests.gpus > 0 ? `gpu:${requests.gpus}` : null;
  const script = `#!/bin/sh\nexec /bin/sh ${quoted(one.launcher)}\n`;
  const job = {
    name: jobName(one.runId),
    comment: `job ${one.jobId} of Slipway`,
    current_working_directory: one.folder,
    environment: isOld ? environment : Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    standard_input: '/dev/null',
    standard_output: '/dev/null',
    standard_error: one.said,
    tasks: 1,
    cpus_per_task: Math.max(1, Math.ceil(requests.cpuMillis / 1000)),
    // The gate lets only one start through, so a requeued job would do nothing. The old API reads `requeue` as true,
    // whatever its value.
    ...(isOld ? { no_requeue: true } : { requeue: false }),
    ...(requests.memoryBytes > 0
      ? { memory_per_node: number(Math.max(1, Math.ceil(requests.memoryBytes / MEBIBYTE))) }
      : {}),
    ...(gpus === null ? {} : isOld ? { gres: gpus } : { tres_per_node: `gres/${gpus}` }),
    ...(node === null ? {} : isOld ? { nodelist: node } : { required_nodes: [node] }),
    ...(timeLimitMinutes === null ? {} : { time_limit: number(timeLimitMinutes) }),
    ...(partition === null ? {} : { partition }),
    ...(account === null ? {} : { account }),
  };
  return version < 41 ? { script, job } : { job: { ...job, script } };
}

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What we need to know of a job. */
export interface SlurmJob {
  readonly id: number;
  readonly name: string;
  /** `RUNNING`, or several such as `RUNNING` and `COMPLETING`. */
  readonly states: readonly string[];
  readonly reason: string;
  /** Slurm's own words, for example why it has put the job back; mostly empty. */
  readonly description: string;
  readonly restarts: number;
  readonly user: string;
  /** The current directory of its script. */
  readonly folder: string;
  /** Whether it has, or had, nodes. */
  readonly hasNodes: boolean;
}

/** The jobs of an answer. What is not a job is left out. */
export function readJobs(answer: Record<string, unknown>): SlurmJob[] {
  const { jobs } = answer;
  return Array.isArray(jobs) ? jobs.flatMap((job) => readJob(job) ?? []) : [];
}

function readJob(job: unknown): SlurmJob | null {
  if (!isRecord(job)) return null;
  const id = numberOf(job['job_id']);
  const states = textsOf(job['job_state']);
  if (id === null || id <= 0 || states.length === 0) return null;
  return {
    id,
    name: textOf(job['name']),
    states: states.map((state) => state.toUpperCase()),
    reason: textOf(job['state_reason']),
    description: textOf(job['state_description']),
    restarts: numberOf(job['restart_cnt']) ?? 0,
    user: textOf(job['user_name']),
    folder: textOf(job['current_working_directory']),
    hasNodes: textOf(job['nodes']) !== '',
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The number of the job that was submitted; null if the answer has none. */
export function readSubmitted(answer: Record<string, unknown>): number | null {
  const { result } = answer;
  const id = numberOf(answer['job_id']) ?? (isRecord(result) ? numberOf(result['job_id']) : null);
  return id !== null && id > 0 ? id : null;
}

const endStates = [
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
  'NODE_FAIL',
  'PREEMPTED',
  'BOOT_FAIL',
  'DEADLINE',
  'OUT_OF_MEMORY',
  'LAUNCH_FAILED',
  'RECONFIG_FAIL',
  'REVOKED',
] as const;
type EndState = (typeof endStates)[number];

/** The state in which a job has ended; null while something of it may run, or may run again. */
export function endOf({ states }: SlurmJob): EndState | null {
  const isOver = !states.some((state) => state === 'COMPLETING' || state.startsWith('REQUEUE'));
  return isOver ? (endStates.find((end) => states.includes(end)) ?? null) : null;
}

/** Reasons for which a job waits for ever, unless an operator changes the configuration or releases it. */
const NEVER = [
  'BadConstraints',
  'PartitionConfig',
  'PartitionNodeLimit',
  'PartitionTimeLimit',
  'InvalidAccount',
  'InvalidQOS',
  'JobHoldMaxRequeue',
];
/**
 * A node could not launch the job, so Slurm has put it back and holds it. slurmrestd says this in the description and
 * names the reason JobHeldUser or JobHeldAdmin, as for a job that a person holds; `scontrol` writes underscores.
 */
const LAUNCH_FAILED = /^launch[ _]failed[ _]requeued[ _]held$/i;
/** Slurm or a person holds the job until somebody releases it. */
const HELD = ['JobHeldUser', 'JobHeldAdmin'];

/** Whether nothing of a job runs, because it is in Slurm's queue. */
export const isPending = ({ states }: SlurmJob): boolean =>
  states.includes('PENDING') || states.includes('SPECIAL_EXIT');

/**
 * Why Slurm will never start a job that waits; null if it will, or if a person holds the job: that person will release
 * it.
 */
export function whyNever(job: SlurmJob): string | null {
  if (!isPending(job)) return null;
  if (NEVER.includes(job.reason)) return job.reason;
  return [job.description, job.reason].find((text) => LAUNCH_FAILED.test(text)) ?? null;
}

/** Whether Slurm does not start a waiting job by itself. */
export const isHeld = (job: SlurmJob): boolean =>
  isPending(job) && (HELD.includes(job.reason) || whyNever(job) !== null);

/** Whether a job waits in Slurm's own queue, or for its nodes to be ready. */
export const waits = (job: SlurmJob | undefined): boolean =>
  job?.states.some((state) => state === 'PENDING' || state === 'CONFIGURING') ?? false;

/** Slurm has put a job that had begun back into its queue. */
export const requeued: RunFailure = {
  code: 'Requeued',
  message:
    'Slurm has requeued the job, for example because its node failed; its command may have done its work',
  kind: 'SYSTEM',
};

/** Why a job whose command had begun is gone, or why its command was killed. Null if Slurm has not ended it. */
export function failureOf(end: EndState | null): RunFailure | null {
  switch (end) {
    case 'TIMEOUT':
    case 'DEADLINE':
      return user('DeadlineExceeded', 'Slurm has ended the job because its time was over');
    case 'OUT_OF_MEMORY':
      return user('OutOfMemory', 'Slurm has ended the job because it used more memory than it had asked for');
    case 'CANCELLED':
    case 'REVOKED':
      return system('CancelledOutside', 'somebody has cancelled the job in Slurm');
    case 'PREEMPTED':
      return system('Preempted', 'Slurm has preempted the job');
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
    case 'LAUNCH_FAILED':
    case 'RECONFIG_FAIL':
      return system('NodeFailed', 'the node of the job has failed');
    default:
      return null;
  }
}

/**
 * Whether a job that ended before its command began may be submitted again as if nothing had happened. A job that was
 * cancelled when it already had its nodes may not: a node that cannot launch a job cancels it.
 */
export function isInnocent(job: SlurmJob): boolean {
  const end = endOf(job);
  if (end === 'CANCELLED') return !job.hasNodes;
  return end === 'REVOKED' || end === 'PREEMPTED' || end === 'DEADLINE';
}

const user = (code: string, message: string): RunFailure => ({ code, message, kind: 'USER' });
const system = (code: string, message: string): RunFailure => ({ code, message, kind: 'SYSTEM' });

const UNUSABLE = [
  'DOWN',
  'DRAIN',
  'DRAINED',
  'DRAINING',
  'FAIL',
  'ERROR',
  'INVAL',
  'FUTURE',
  'UNKNOWN',
  'NOT_RESPONDING',
];

/** The nodes that can run jobs, of one partition or of all. */
export function readNodes(answer: Record<string, unknown>, partition: string | null): RuntimeNode[] {
  const { nodes } = answer;
  return Array.isArray(nodes) ? nodes.flatMap((node) => readNode(node, partition) ?? []) : [];
}

function readNode(node: unknown, partition: string | null): RuntimeNode | null {
  if (!isRecord(node) || typeof node['name'] !== 'string') return null;
  const partitions = textsOf(node['partitions']);
  const states = [...textsOf(node['state']), ...textsOf(node['state_flags'])].map((state) =>
    state.toUpperCase(),
  );
  if (partition !== null && !partitions.includes(partition)) return null;
  if (states.some((state) => UNUSABLE.includes(state))) return null;
  const [cpus, memory] = [numberOf(node['cpus']), numberOf(node['real_memory'])];
  if (cpus === null || memory === null) return null;
  const gpus = gpusIn(typeof node['gres'] === 'string' ? node['gres'] : '');
  return {
    name: node['name'],
    allocatable: {
      cpu: String(cpus),
      memory: `${memory}Mi`,
      ...(gpus > 0 ? { 'nvidia.com/gpu': String(gpus) } : {}),
    },
  };
}

/** How many GPUs there are in a text such as `gpu:a100:2(S:0-1),gpu:1,license:3`. */
export function gpusIn(gres: string): number {
  const counts = gres
    .replace(/\([^)]*\)/g, '')
    .split(',')
    .map((part) => /^gpu(?::[^:]+)??(?::(\d+))?$/.exec(part.trim()))
    .map((match) => (match === null ? 0 : Number(match[1] ?? 1)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Newer versions say for each number whether it is set. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  if (!isRecord(value) || value['set'] === false || value['infinite'] === true) return null;
  return typeof value['number'] === 'number' ? numberOf(value['number']) : null;
}

/** One text, or several separated by commas, or a list. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split(/[,+]/).filter(Boolean);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

import { blobUrl } from '../blob-url.ts';
import { choice, entriesOf, list, pairs, readEnvironment, text, url, whole } from './environment.ts';

const resource = /cpu|gpu|memory|storage|ephemeralStorage/;
const quantity = /\d{1,15}(\.\d{1,9})?([numkMGTPE]|[KMGTPE]i)?/;
const tier = /HIGH|MEDIUM|LOW/;
/** As nodes report it: `cpu`, `nvidia.com/gpu`. */
const resourceName = /[a-z0-9]([a-z0-9./-]{0,251}[a-z0-9])?/;
const className = /[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/;

/** Where tasks of some types may be registered: for each type, its scopes, `project` or `project/domain`. */
export type TaskTypeWhitelist = ReadonlyMap<string, ReadonlySet<string>>;

const taskTypeWhitelist = list
  .refine((parts) => parts.every((part) => /^[^=]+=([^=/]+(\/[^=/]+)?)?$/.test(part)), {
    message: 'must be a list of type=project or type=project/domain',
  })
  .transform((parts): TaskTypeWhitelist => {
    const scopes = new Map<string, Set<string>>();
    for (const part of parts) {
      const [type = '', scope = ''] = part.split('=');
      const ofType = scopes.get(type) ?? new Set();
      scopes.set(type, scope === '' ? ofType : ofType.add(scope));
    }
    return scopes;
  });

/** The variables that the server and the scheduler share: the database, and values that must be the same in both. */
export const controlPlaneVariables = {
  DATABASE_URL: url(/^postgres(ql)?$/, 'postgresql://user:password@host:5432/database').optional(),
  DATABASE_POOL_SIZE: whole(2, 100).default(10),
  SLIPWAY_SECRETS: list.optional(),
  BLOB_URL: blobUrl.optional(),
  LEASE_SECONDS: whole(2, 86_400).default(30),
  EXECUTOR_SILENT_SECONDS: whole(2, 86_400).default(600),
  EXECUTOR_LOST_SECONDS: whole(2, 2_592_000).default(3600),
  EXECUTOR_UNACKNOWLEDGED_RUNS: whole(1, 100_000).default(2500),
  OUTPUT_LIMIT_BYTES: whole(1024, 64 * 1024 * 1024).default(2 * 1024 * 1024),
  TASK_RESOURCE_DEFAULTS: pairs(resource, quantity, 'cpu=1,memory=200Mi').default(['cpu=1', 'memory=200Mi']),
  TASK_RESOURCE_LIMITS: pairs(resource, quantity, 'cpu=16,memory=64Gi,gpu=4').default([]),
  QUEUEING_BUDGETS: pairs(tier, /\d{1,9}/, 'HIGH=60,MEDIUM=600').default([]),
  QUALITY_OF_SERVICE: pairs(/[^=]+/, tier, 'production=HIGH').default([]),
  CLUSTER_POOLS: pairs(/[^=]+/, /.{1,255}/, 'production=large').default([]),
  EXECUTION_CLUSTER_LABEL: text(255).optional(),
  EXECUTION_CLUSTERS: pairs(/[^=]+/, /.{1,255}/, 'gpu=east,gpu=west').default([]),
  EXECUTION_LABEL_LIMIT: whole(0, 1000).default(0),
  EXECUTION_ANNOTATION_LIMIT: whole(0, 1000).default(0),
  PRIORITY_CLASSES: pairs(className, /\d{1,9}(:preemptible)?/, 'batch=100:preemptible').default([
    'slipway-default=1000',
    'slipway-preemptible=1000:preemptible',
  ]),
  MAX_RETRIES: whole(0, 1000).default(5),
  FLEET_MEMORY_SECONDS: whole(0, 31_536_000).default(604_800),
  POOL_JOBS_PER_SECOND: whole(0, 1_000_000).default(0),
  POOL_JOBS_AT_ONCE: whole(1, 1_000_000).default(1000),
  QUEUE_JOBS_PER_SECOND: whole(0, 1_000_000).default(0),
  QUEUE_JOBS_AT_ONCE: whole(1, 1_000_000).default(1000),
  ROUND_SHARE: pairs(resourceName, /0\.\d{1,6}|1(\.0{1,6})?/, 'cpu=0.25,memory=0.25').default([]),
  JOB_RESOURCE_DEFAULTS: pairs(resourceName, quantity, 'cpu=1,memory=1Gi').default(['cpu=1', 'memory=1Gi']),
  JOB_RESOURCE_MINIMUMS: pairs(resourceName, quantity, 'memory=1Mi').default(['memory=1Mi']),
  JOB_OVERSUBSCRIPTION: pairs(resourceName, /\d{1,3}(\.\d{1,3})?/, 'memory=1.5').default([]),
  JOB_DEADLINE_SECONDS: whole(1, 2_000_000_000).default(259_200),
  JOB_RESOURCE_DEADLINES: pairs(resourceName, /[1-9]\d{0,8}/, 'nvidia.com/gpu=1209600').default([]),
  JOB_RESTRICTED_TOLERATIONS: list.default([]),
  DEFAULT_LEVEL: choice('NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE').default('NO_PERMISSIONS'),
  SLIPWAY_DOMAINS: list.default(['development', 'staging', 'production']),
  WORKFLOW_NODE_LIMIT: whole(0, 100_000).default(1000),
  WORKFLOW_LIMIT_BYTES: whole(0, 256 * 1024 * 1024).default(16 * 1024 * 1024),
  TASK_TYPE_WHITELIST: taskTypeWhitelist.optional(),
};

const settings = readEnvironment(controlPlaneVariables);

/** 0 jobs per second mean no limit. */
const rateOf = (perSecond: number, burst: number) => (perSecond === 0 ? null : { perSecond, burst });

export const controlPlaneConfig = {
  databaseUrl: settings.DATABASE_URL,
  databasePoolSize: settings.DATABASE_POOL_SIZE,
  /** Use `requiredSecrets` of ../secrets.ts to read them. */
  secrets: settings.SLIPWAY_SECRETS,
  /** Where the contents of files are stored. Undefined: in the database. */
  blobBucket: settings.BLOB_URL,
  leaseSeconds: settings.LEASE_SECONDS,
  executorLimits: {
    /**
     * An executor that was silent for longer gets no new work. This must be shorter than a lease. Otherwise, an executor
     * could be assigned the job whose lease it has just lost, and could not get the lease back.
     */
    silentSeconds: Math.min(settings.EXECUTOR_SILENT_SECONDS, (settings.LEASE_SECONDS * 2) / 3),
    /** The runs of an executor that was silent for longer expire, however long their leases are. */
    lostSeconds: Math.max(settings.EXECUTOR_LOST_SECONDS, settings.EXECUTOR_SILENT_SECONDS),
    /** An executor with so many runs that it has not named yet gets no new work. */
    unacknowledgedRuns: settings.EXECUTOR_UNACKNOWLEDGED_RUNS,
  },
  outputLimitBytes: settings.OUTPUT_LIMIT_BYTES,
  /** What a container gets and may ask for at most, by resource, unless attributes say otherwise. */
  taskResources: {
    defaults: Object.fromEntries(entriesOf(settings.TASK_RESOURCE_DEFAULTS)),
    limits: Object.fromEntries(entriesOf(settings.TASK_RESOURCE_LIMITS)),
  },
  /** What an execution gets if nothing nearer to it says otherwise. */
  executionDefaults: {
    /** In seconds, by tier. */
    queueingBudgets: new Map(entriesOf(settings.QUEUEING_BUDGETS).map(([name, s]) => [name, Number(s)])),
    tiersByDomain: new Map(entriesOf(settings.QUALITY_OF_SERVICE)),
    poolsByDomain: new Map(entriesOf(settings.CLUSTER_POOLS)),
    clusterLabel: settings.EXECUTION_CLUSTER_LABEL ?? null,
    /** Labels with the clusters that have them. */
    clusters: entriesOf(settings.EXECUTION_CLUSTERS),
    labelLimit: settings.EXECUTION_LABEL_LIMIT,
    annotationLimit: settings.EXECUTION_ANNOTATION_LIMIT,
  },
  /** The classes of jobs. The first one is for jobs that name none. */
  priorityClasses: entriesOf(settings.PRIORITY_CLASSES).map(([name, text]) => ({
    name,
    priority: Number.parseInt(text, 10),
    isPreemptible: text.endsWith(':preemptible'),
  })),
  /** How often a job is tried again at most, whatever the retry policy of its queue says; 0 means never. */
  maxRetries: settings.MAX_RETRIES,
  /** How long a node counts after it was seen last, when jobs that no node can run are rejected; 0: none is rejected. */
  fleetMemorySeconds: settings.FLEET_MEMORY_SECONDS,
  /** How fast jobs may start. */
  brakes: {
    pool: rateOf(settings.POOL_JOBS_PER_SECOND, settings.POOL_JOBS_AT_ONCE),
    queue: rateOf(settings.QUEUE_JOBS_PER_SECOND, settings.QUEUE_JOBS_AT_ONCE),
    roundShare: Object.fromEntries(
      entriesOf(settings.ROUND_SHARE).map(([name, share]) => [name, Number(share)]),
    ) as Readonly<Record<string, number>>,
  },
  /** What a job requests of the resources that it names neither in its requests nor in its limits. */
  jobResourceDefaults: Object.fromEntries(entriesOf(settings.JOB_RESOURCE_DEFAULTS)),
  /** What else is asked of jobs that users submit, and what they get. */
  jobLimits: {
    /** The least that a job must request of a resource. */
    minimums: Object.fromEntries(entriesOf(settings.JOB_RESOURCE_MINIMUMS)),
    /** How many times its request a limit may be; 1 for resources that are not named. */
    oversubscription: Object.fromEntries(entriesOf(settings.JOB_OVERSUBSCRIPTION)),
    /** How long a run of a job may take that says nothing about it. */
    deadlineSeconds: settings.JOB_DEADLINE_SECONDS,
    /** The same for jobs that request a resource. The longest one counts. */
    resourceDeadlines: new Map(
      entriesOf(settings.JOB_RESOURCE_DEADLINES).map(([name, seconds]) => [name, Number(seconds)]),
    ) as ReadonlyMap<string, number>,
    /** The keys of taints that jobs may not tolerate. */
    restrictedTolerations: settings.JOB_RESTRICTED_TOLERATIONS,
  },
  /** The level if no grant decides and neither the user nor the tenant has a default. */
  defaultLevel: settings.DEFAULT_LEVEL,
  domains: settings.SLIPWAY_DOMAINS,
  /** 0 means no limit. */
  workflowNodeLimit: settings.WORKFLOW_NODE_LIMIT,
  /** Of the closure as JSON. 0 means no limit. */
  workflowLimitBytes: settings.WORKFLOW_LIMIT_BYTES,
  taskTypeWhitelist: settings.TASK_TYPE_WHITELIST ?? (new Map() as TaskTypeWhitelist),
} as const;

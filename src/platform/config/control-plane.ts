import { list, readEnvironment, url, whole } from './environment.ts';

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
  LEASE_SECONDS: whole(2, 86_400).default(30),
  OUTPUT_LIMIT_BYTES: whole(1024, 64 * 1024 * 1024).default(2 * 1024 * 1024),
  WORKFLOW_NODE_LIMIT: whole(0, 100_000).default(1000),
  WORKFLOW_LIMIT_BYTES: whole(0, 256 * 1024 * 1024).default(16 * 1024 * 1024),
  TASK_TYPE_WHITELIST: taskTypeWhitelist.optional(),
};

const settings = readEnvironment(controlPlaneVariables);

export const controlPlaneConfig = {
  databaseUrl: settings.DATABASE_URL,
  databasePoolSize: settings.DATABASE_POOL_SIZE,
  /** Use `requiredSecrets` of ../secrets.ts to read them. */
  secrets: settings.SLIPWAY_SECRETS,
  leaseSeconds: settings.LEASE_SECONDS,
  outputLimitBytes: settings.OUTPUT_LIMIT_BYTES,
  /** 0 means no limit. */
  workflowNodeLimit: settings.WORKFLOW_NODE_LIMIT,
  /** Of the closure as JSON. 0 means no limit. */
  workflowLimitBytes: settings.WORKFLOW_LIMIT_BYTES,
  taskTypeWhitelist: settings.TASK_TYPE_WHITELIST ?? (new Map() as TaskTypeWhitelist),
} as const;

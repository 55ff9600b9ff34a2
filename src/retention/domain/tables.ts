/** How long the rows of each table are kept. A test compares the names with the tables of the database. */

export type KeptHow =
  /** Until somebody deletes or replaces them. */
  | 'FOR_EVER'
  /** As long as the object that they belong to. */
  | 'WITH_OWNER'
  /** The server deletes them by itself. */
  | 'SWEPT'
  /** As the retention policies of projects say. */
  | 'BY_POLICY';

export interface TableRule {
  readonly kept: KeptHow;
  /** For users: why, or as long as what. */
  readonly rule: string;
  /** The first column of the primary key, if it is an id that says when the row or its owner was created. */
  readonly idColumn?: string;
}

const byId = { idColumn: 'id' };
const ofExecution = {
  kept: 'WITH_OWNER',
  rule: 'As long as the execution.',
  idColumn: 'execution_id',
} as const;
const inExecution = { ...ofExecution, ...byId } as const;
const ofExecutionOr = (time: string) =>
  ({
    kept: 'SWEPT',
    rule: `With an execution: as long as it, and until all its jobs have ended. Otherwise ${time}.`,
  }) as const;
const ofJob = ofExecutionOr('`JOB_KEEP_HOURS` after the end of the job');
const ofEvents = ofExecutionOr(
  '`JOB_EVENT_KEEP_HOURS` after the last event of the job set, if all its jobs have ended',
);
const ofProject = { kept: 'FOR_EVER', ...byId } as const;
const ofUser = { kept: 'WITH_OWNER', rule: 'As long as the user.' } as const;

export const tableRules: Readonly<Record<string, TableRule>> = {
  executions: {
    kept: 'BY_POLICY',
    rule: 'As the policy of its project and domain says; without one, until `deleteExecutions`.',
    ...byId,
  },
  node_executions: inExecution,
  task_executions: inExecution,
  execution_events: ofExecution,
  execution_labels: ofExecution,
  execution_tags: ofExecution,
  execution_counts: { kept: 'FOR_EVER', rule: 'Few rows for each workflow that was ever executed.' },
  execution_count_changes: {
    kept: 'SWEPT',
    rule: 'Until the scheduler has added them to `execution_counts`: about a second.',
  },
  node_phase_counts: ofExecution,
  item_phase_counts: { ...ofExecution, idColumn: 'node_execution_id' },
  signals: inExecution,
  notification_deliveries: inExecution,
  budget_shares: ofExecution,
  trigger_firings: { kept: 'SWEPT', rule: 'Until the trigger has started its execution, or has given up.' },
  trigger_chains: {
    kept: 'SWEPT',
    rule: 'Until 30 days after the last execution that they count.',
    idColumn: 'execution_id',
  },
  cache_reservations: { kept: 'SWEPT', rule: 'Until the node that computes the outputs has ended.' },
  cache_waiters: {
    kept: 'SWEPT',
    rule: 'Until the node has the outputs that it waits for.',
    idColumn: 'node_execution_id',
  },
  execution_remains: {
    kept: 'SWEPT',
    rule: 'Until the jobs of the deleted execution are deleted.',
    idColumn: 'execution_id',
  },
  job_sets: { ...ofEvents, ...byId },
  jobs: { ...ofJob, ...byId },
  job_runs: { ...ofJob, ...byId },
  job_events: { ...ofEvents, idColumn: 'job_set_id' },
  job_run_logs: {
    kept: 'SWEPT',
    rule: '`RUN_LOG_KEEP_HOURS` after the end of the run, and not longer than the run.',
    idColumn: 'run_id',
  },

  access_changes: { kept: 'SWEPT', rule: 'One hour: every server has read them long before.' },
  access_clock: { kept: 'FOR_EVER', rule: 'One row: the number of the last change.' },
  used_proofs: { kept: 'SWEPT', rule: 'About five minutes: until a proof is too old anyway.' },
  revoked_sessions: { kept: 'SWEPT', rule: 'Until the tokens of the session have expired.' },
  audit_events: {
    kept: 'FOR_EVER',
    rule: 'The audit log only grows. Export and remove it by hand.',
    ...byId,
  },

  cache_entries: { ...ofProject, rule: 'Cached outputs count until `evictCacheEntries` deletes them.' },
  blobs: {
    kept: 'SWEPT',
    rule: '`BLOB_UNUSED_DAYS` after the last use, if nothing of the tenant names the file.',
    ...byId,
  },
  blob_remains: { kept: 'SWEPT', rule: 'Until the bucket has deleted the object.', idColumn: 'blob_id' },
  blob_chunks: { kept: 'WITH_OWNER', rule: 'As long as the file.', idColumn: 'blob_id' },
  retention_policies: { ...ofProject, rule: 'A policy counts until `updateRetention` removes it.' },
  projects: { ...ofProject, rule: 'Projects are archived, and never deleted.' },
  matchable_attributes: { ...ofProject, rule: 'Configuration counts until somebody deletes it.' },
  tasks: { ...ofProject, rule: 'A version stays until `deleteTask`.' },
  workflows: { ...ofProject, rule: 'A version stays until `deleteWorkflow`.' },
  launch_plans: { ...ofProject, rule: 'A version stays until `deleteLaunchPlan`.' },
  named_entities: { ...ofProject, rule: 'A name stays with its levels, also without versions.' },
  description_entities: { kept: 'WITH_OWNER', rule: 'As long as the version that it describes.', ...byId },
  launch_plan_schedules: { kept: 'WITH_OWNER', rule: 'As long as the launch plan is ACTIVE.', ...byId },
  launch_plan_triggers: { kept: 'WITH_OWNER', rule: 'As long as the launch plan is ACTIVE.', ...byId },
  experiments: { ...ofProject, rule: 'A deleted experiment can be restored.' },
  experiment_runs: { ...ofProject, rule: 'A deleted run can be restored.' },
  registered_models: { ...ofProject, rule: 'A deleted model can be restored.' },
  model_versions: { kept: 'WITH_OWNER', rule: 'As long as the registered model.', ...byId },
  model_aliases: { kept: 'WITH_OWNER', rule: 'As long as the registered model.', idColumn: 'model_id' },
  gangs: { kept: 'SWEPT', rule: 'As long as one of its jobs, and not longer than the queue.', ...byId },
  former_nodes: { kept: 'SWEPT', rule: 'For `FLEET_MEMORY_SECONDS` after they were seen last.' },
  job_counts: { kept: 'WITH_OWNER', rule: 'As long as the queue.' },
  job_count_changes: {
    kept: 'SWEPT',
    rule: 'Until the scheduler has added them to `job_counts`: about a second.',
  },
  pool_rounds: { kept: 'FOR_EVER', rule: 'One row for each pool that had executors and jobs.' },
  queue_share_samples: {
    kept: 'SWEPT',
    rule: 'For `SHARE_SAMPLE_DAYS` days, or until the queue is deleted.',
  },
  executor_settings: { kept: 'FOR_EVER', rule: 'A setting counts until somebody replaces it.', ...byId },
  scheduling_buckets: {
    kept: 'SWEPT',
    rule: 'Until the rate lets as many jobs start as after a pause: the next round of the pool deletes them.',
  },
  node_cordons: { kept: 'FOR_EVER', rule: 'A node is cordoned until somebody opens it.', ...byId },
  retry_policies: { kept: 'FOR_EVER', rule: 'A policy counts until `deleteRetryPolicy`.', ...byId },
  queues: { ...ofProject, rule: 'Queues are few, and jobs refer to them.' },
  executors: { kept: 'FOR_EVER', rule: 'Executors are few, and runs refer to them.', ...byId },

  tenants: { kept: 'FOR_EVER', rule: 'Tenants are few, and never deleted.', ...byId },
  users: { kept: 'FOR_EVER', rule: 'A user stays until `deleteUser`.', ...byId },
  former_users: { kept: 'FOR_EVER', rule: 'Old objects show the names of their authors.', ...byId },
  credentials: { ...ofUser, ...byId },
  groups: { kept: 'FOR_EVER', rule: 'A group stays until `deleteGroup`.', ...byId },
  group_members: { kept: 'WITH_OWNER', rule: 'As long as the group and the user.', idColumn: 'group_id' },
  grants: { kept: 'WITH_OWNER', rule: 'As long as the user or group, and the object.', ...byId },
  json_web_key_sets: { kept: 'FOR_EVER', rule: 'Key sets are few, and tokens name their keys.', ...byId },
  oauth2_clients: { kept: 'FOR_EVER', rule: 'Until `deleteOAuth2Client`.', ...byId },
  identity_providers: { kept: 'FOR_EVER', rule: 'Until `deleteIdentityProvider`.', ...byId },
  identity_provider_groups: {
    kept: 'WITH_OWNER',
    rule: 'As long as the identity provider and the group.',
    idColumn: 'identity_provider_id',
  },
  identity_links: { kept: 'WITH_OWNER', rule: 'As long as the identity provider and the user.', ...byId },
  jwt_grant_issuers: { kept: 'FOR_EVER', rule: 'Until `deleteJwtGrantIssuer`.', ...byId },
  oauth2_records: {
    kept: 'SWEPT',
    rule: 'Until the code, token, challenge or session has expired, and not longer than the client.',
  },
  oauth2_consents: { kept: 'WITH_OWNER', rule: 'As long as the client.' },
  oauth2_forced_subjects: { kept: 'WITH_OWNER', rule: 'As long as the client and the user.' },
  oauth2_pairwise_salts: {
    kept: 'FOR_EVER',
    rule: 'One for each tenant. With another one, clients would not know people again.',
  },
  oauth2_client_secrets: { kept: 'WITH_OWNER', rule: 'As long as the client.', ...byId },
  json_web_keys: { kept: 'WITH_OWNER', rule: 'As long as the key set.', ...byId },
};

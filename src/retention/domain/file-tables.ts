/**
 * The tables whose rows may name files, in whatever column: a sweep keeps every file that one of them names. A test
 * compares both lists with the tables of the database.
 */
export const tablesThatNameFiles: readonly string[] = [
  ...['executions', 'node_executions', 'task_executions', 'execution_events', 'execution_labels'],
  ...['execution_tags', 'signals', 'notification_deliveries', 'cache_entries'],
  ...['job_sets', 'jobs', 'job_runs', 'job_events', 'queues', 'gangs', 'retry_policies'],
  ...['projects', 'matchable_attributes', 'retention_policies'],
  ...['tasks', 'workflows', 'launch_plans', 'named_entities', 'description_entities'],
  ...['experiments', 'experiment_runs', 'registered_models', 'model_versions', 'model_aliases'],
];

/** The other tables: they have no values of users, or what they say keeps no file. */
export const tablesWithoutFiles: readonly string[] = [
  ...['blobs', 'blob_chunks', 'blob_remains'],
  // What a program prints, and what happened long ago, keeps no file.
  ...['job_run_logs', 'audit_events'],
  ...['execution_counts', 'execution_count_changes'],
  ...['node_phase_counts', 'item_phase_counts', 'budget_shares', 'trigger_firings', 'trigger_chains'],
  ...[
    'cache_reservations',
    'cache_waiters',
    'execution_remains',
    'launch_plan_schedules',
    'launch_plan_triggers',
  ],
  ...['job_counts', 'job_count_changes', 'pool_rounds', 'queue_share_samples', 'scheduling_buckets'],
  ...['executors', 'executor_settings', 'former_nodes', 'node_cordons'],
  ...[
    'access_changes',
    'access_clock',
    'revoked_sessions',
    'used_proofs',
    'tenants',
    'users',
    'former_users',
    'credentials',
  ],
  ...['groups', 'group_members', 'grants', 'json_web_key_sets', 'json_web_keys'],
  ...['oauth2_clients', 'oauth2_client_secrets', 'oauth2_records', 'oauth2_consents', 'jwt_grant_issuers'],
  ...['oauth2_forced_subjects', 'oauth2_pairwise_salts'],
  ...['identity_providers', 'identity_provider_groups', 'identity_links'],
];

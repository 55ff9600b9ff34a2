import type pg from 'pg';

/** How many rows of each kind there are. */
export interface Sizes {
  readonly projects: number;
  readonly executions: number;
  readonly users: number;
  readonly grantsOfUser: number;
  /** A third of them have succeeded, and the others are queued. */
  readonly jobs: number;
}

export const NODES_OF_EXECUTION = 10;

/** More history does not mean more projects or more people. */
export function sizesOf(scale: number): Sizes {
  return {
    projects: scale < 1 ? 10 : 100,
    executions: Math.round(20_000 * scale),
    users: scale < 1 ? 100 : 1000,
    grantsOfUser: scale < 1 ? 5 : 20,
    jobs: Math.round(1_500_000 * scale),
  };
}

/**
 * Fills the tables of an empty installation with history, through SQL: projects, users with grants, and executions over
 * 90 days with their nodes and attempts. Of the executions, 80 % have succeeded, 10 % have failed and 10 % are running,
 * driven by an engine from outside; of their domains, 60 % are production. Everybody may read everything, as in a
 * tenant with MLflow's default, because the peers have no grants; and each user may edit the projects of its grants.
 */
export async function fillHistory(client: pg.Client, sizes: Sizes): Promise<void> {
  const { projects, executions, users, grantsOfUser } = sizes;
  // The rows are made so that all conditions hold; checking each of them would take most of the time.
  await client.query(`set session_replication_role = replica; set synchronous_commit = off`);
  await client.query(`update tenants set default_level = 'READ'`);
  await client.query(
    `insert into projects (id, tenant_id, identifier, name, updated_at)
     select uuidv7(), tenant.id, 'project-' || lpad(number::text, 3, '0'), 'Project ' || number, now()
       from tenants as tenant cross join generate_series(1, $1::int) as number`,
    [projects],
  );
  await client.query(
    `insert into users (id, tenant_id, username, username_key, name, updated_at)
     select uuidv7(), tenant.id, username, username, 'User ' || number, now()
       from tenants as tenant cross join generate_series(1, $1::int) as number
      cross join lateral (select 'user-' || lpad(number::text, 5, '0') as username) as named`,
    [users],
  );
  await client.query(
    `insert into grants (id, tenant_id, user_id, resource_type, resource_id, level, updated_at)
     select uuidv7(), person.tenant_id, person.id, 'PROJECT', project.id, 'EDIT', now()
       from (select *, row_number() over (order by username) as number from users where username like 'user-%') as person
      cross join generate_series(1, $1::int) as turn
       join (select id, row_number() over (order by identifier) - 1 as number from projects) as project
         on project.number = (person.number * 7 + turn * greatest($2::int / $1::int, 1)) % $2::int`,
    [grantsOfUser, projects],
  );
  await fillRegistry(client);
  await client.query(
    `insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id, workflow_entity_id,
       engine, phase, principal_id, queue, user_inputs, inputs, started_at, ended_at, created_at, updated_at)
     select uuidv7(at - now()), project.tenant_id, project.id, made.domain, 'run-' || number.number, plan.id, plan.workflow_id,
            plan.workflow_entity_id, (case phase when 'RUNNING' then 'EXTERNAL' else 'SLIPWAY' end)::execution_engine,
            phase::execution_phase, person.id, 'default', '{"rows":100}', '{"rows":100}', at + interval '2 seconds',
            case when phase <> 'RUNNING' then at + interval '65 seconds' end, at, at + interval '65 seconds'
       from generate_series(1, $1::int) as number
       join (select *, row_number() over (order by identifier) - 1 as number from projects) as project
         on project.number = number.number % $2::int
       join (select *, row_number() over (order by username) - 1 as number from users where username like 'user-%')
         as person on person.number = number.number % $3::int
      cross join lateral (
        select case when (number.number / $2::int) % 10 < 6 then 'production'
                    when (number.number / $2::int) % 10 < 9 then 'development' else 'staging' end as domain,
               case (number.number / $2::int / 10) % 10 when 8 then 'FAILED' when 9 then 'RUNNING' else 'SUCCEEDED' end as phase,
               date_trunc('milliseconds', now() - ($1::int - number.number + 1) * (interval '90 days' / $1::int)) as at
      ) as made
       join launch_plans as plan on plan.project_id = project.id and plan.domain = made.domain
      order by number.number`,
    [executions, projects, users],
  );
  await fillNodes(client);
  await client.query(
    `insert into node_phase_counts (execution_id, kind, phase, tenant_id, count)
     select execution_id, kind, phase, tenant_id, count(*) from node_executions group by 1, 2, 3, 4`,
  );
  // The triggers that count executions did not run.
  await client.query(
    `insert into execution_counts (tenant_id, project_id, workflow_entity_id, domain, phase, state, count)
     select tenant_id, project_id, workflow_entity_id, domain, phase, state, count(*) from executions
      group by 1, 2, 3, 4, 5, 6`,
  );
  await client.query('set session_replication_role = origin');
}

/** One workflow with one launch plan in each domain of each project. */
async function fillRegistry(client: pg.Client): Promise<void> {
  await client.query(
    `insert into named_entities (id, tenant_id, project_id, type, domain, name, updated_at)
     select uuidv7(), project.tenant_id, project.id, type::entity_type, domain, 'train', now()
       from projects as project cross join unnest(array['WORKFLOW', 'LAUNCH_PLAN']) as type
      cross join unnest(array['production', 'development', 'staging']) as domain`,
  );
  await client.query(
    `insert into workflows (id, tenant_id, entity_id, project_id, domain, name, version, interface, closure, task_ids,
       digest)
     select uuidv7(), tenant_id, id, project_id, domain, name, 'v1', '{}', '{}', '[]', md5(id::text)
       from named_entities where type = 'WORKFLOW'`,
  );
  await client.query(
    `insert into launch_plans (id, tenant_id, entity_id, project_id, domain, name, version, workflow_id,
       workflow_entity_id, spec, expected_inputs, fixed_inputs, expected_outputs, digest, updated_at)
     select uuidv7(), entity.tenant_id, entity.id, entity.project_id, entity.domain, entity.name, 'v1', workflow.id,
            workflow.entity_id, '{}', '{}', '{}', '{}', md5(entity.id::text), now()
       from named_entities as entity join workflows as workflow
         on workflow.project_id = entity.project_id and workflow.domain = entity.domain
      where entity.type = 'LAUNCH_PLAN'`,
  );
}

/** Ten nodes in each execution, with one attempt each. The last node of a failed execution has failed. */
async function fillNodes(client: pg.Client): Promise<void> {
  await client.query(
    `insert into node_executions (id, tenant_id, execution_id, node_id, spec_node_id, phase, inputs, outputs,
       latest_task_execution_id, latest_attempt, latest_task_phase, started_at, ended_at, created_at, updated_at)
     select uuidv7(at - now()), execution.tenant_id, execution.id, 'n' || number, 'n' || number,
            made.phase::node_execution_phase, '{"x":1}', case made.phase when 'SUCCEEDED' then '{"y":2}'::json end,
            uuidv7(at - now()), 0, made.phase::task_execution_phase, at, until, at, coalesce(until, at)
       from (select * from executions order by id) as execution
      cross join generate_series(0, ${NODES_OF_EXECUTION - 1}) as number
      cross join lateral (
        select case when execution.phase = 'RUNNING' then 'RUNNING'
                    when execution.phase = 'FAILED' and number = ${NODES_OF_EXECUTION - 1} then 'FAILED'
                    else 'SUCCEEDED' end as phase,
               execution.started_at + number * interval '6 seconds' as at
      ) as made
      cross join lateral (select case when made.phase <> 'RUNNING' then at + interval '5 seconds' end as until) as ending`,
  );
  await client.query(
    `insert into task_executions (id, tenant_id, execution_id, node_execution_id, task_project, task_domain, task_name,
       task_version, retry_attempt, phase, details, started_at, ended_at, created_at, updated_at)
     select node.latest_task_execution_id, node.tenant_id, node.execution_id, node.id, project.identifier,
            execution.domain, 'double', 'v1', 0, node.latest_task_phase,
            '{"logs":[],"reasons":[],"eventVersion":0}', node.started_at, node.ended_at, node.created_at, node.updated_at
       from node_executions as node join executions as execution on execution.id = node.execution_id
       join projects as project on project.id = execution.project_id
      order by node.id`,
  );
}

/**
 * Copies the one job of each queue, which a user submitted, until there are so many jobs. A third of them have succeeded.
 */
export async function fillJobs(client: pg.Client, jobs: number): Promise<void> {
  const { rows } = await client.query<{ names: string }>(
    `select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns
      where table_name = 'jobs' and table_schema = 'public'
        and column_name not in ('id', 'state', 'submitted_at', 'ended_at', 'attempted_runs')`,
  );
  const names = rows[0]?.names ?? '';
  await client.query(`set session_replication_role = replica`);
  const makeIndexes = await dropIndexes(client, 'jobs');
  await client.query(
    `insert into jobs (id, state, submitted_at, ended_at, attempted_runs, ${names})
     select uuidv7(), made.state::job_state, now() + number * interval '1 microsecond',
            case made.state when 'SUCCEEDED' then now() end, 0, ${names}
       from (select distinct on (queue_id) * from jobs order by queue_id, id) as model
      cross join generate_series(1, $1::int / (select count(distinct queue_id)::int from jobs)) as number
      cross join lateral (select case number % 3 when 0 then 'SUCCEEDED' else 'QUEUED' end as state) as made`,
    [jobs],
  );
  await makeIndexes();
  // The triggers that count jobs did not run; these are their counts.
  await client.query(
    `truncate job_counts, job_count_changes;
     insert into job_counts (id, tenant_id, queue_id, pool, project_id, workflow_entity_id, state, count)
     select gen_random_uuid(), job.tenant_id, job.queue_id, job.pool, set.project_id, set.workflow_entity_id, job.state,
            count(*)
       from jobs as job join job_sets as set on set.id = job.job_set_id group by 2, 3, 4, 5, 6, 7;
     update job_sets as set set queued_jobs = counted.queued, open_jobs = counted.queued, is_active = true
       from (select job_set_id, count(*) filter (where state = 'QUEUED') as queued from jobs group by 1) as counted
      where set.id = counted.job_set_id;
     set session_replication_role = origin`,
  );
}

/**
 * To make an index of rows that are there takes a fraction of the time of adding each row to it. The primary key stays.
 *
 * @returns a function that makes the indexes again.
 */
async function dropIndexes(client: pg.Client, table: string): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
      where indrelid = to_regclass($1) and not indisprimary`,
    [table],
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return async () => {
    for (const { definition } of rows) await client.query(definition);
  };
}

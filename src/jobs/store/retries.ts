import { run, statement } from '../../platform/database/statement.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import type { RetryPolicy } from '../domain/retry-policies.ts';
import type { Labels, Toleration } from '../domain/scheduling/matching.ts';
import type { Resources } from '../domain/scheduling/resources.ts';
import type { Reporter } from './runs.ts';

/** A run whose job has a retry policy, and what decides about its failure. */
export interface JudgedRun {
  readonly runId: string;
  readonly policy: RetryPolicy;
  /** How many other runs of the job have failed, or lost their lease after they had begun. */
  readonly earlierFailures: number;
  readonly isExcluded: boolean;
  readonly spec: JobSpec;
  readonly resources: Resources;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  readonly priorityClass: string;
  readonly classPriority: number;
  readonly isPreemptible: boolean;
}

const judgedStatement = statement<JudgedRun>(
  `select run.id as "runId",
          json_build_object('retryLimit', policy.retry_limit, 'defaultAction', policy.default_action,
                            'rules', policy.rules) as policy,
          (select count(*)::int from job_runs as other
            where other.job_id = job.id and other.id <> run.id
              and (other.state = 'FAILED' or other.state = 'LEASE_EXPIRED' and other.acknowledged_at is not null))
            as "earlierFailures",
          job.is_owned or job.fail_fast or job.gang_id is not null as "isExcluded",
          job.spec, job.resources, job.node_selector as "nodeSelector", job.tolerations,
          job.priority_class as "priorityClass", job.class_priority as "classPriority",
          job.is_preemptible as "isPreemptible"
     from job_runs as run
     join executors as executor on executor.id = run.executor_id and executor.user_id = $2::uuid
     join jobs as job on job.id = run.job_id
     join queues as queue on queue.id = job.queue_id
     join retry_policies as policy on policy.tenant_id = job.tenant_id and policy.name = queue.retry_policies[1]
    where run.tenant_id = $1::uuid and run.id = any($3::uuid[])`,
);

/**
 * What decides whether the jobs of these runs are tried again after a failure. Runs that belong to others, and runs of
 * jobs whose queues have no policy, are left out. Only the first policy of a queue counts.
 *
 * How often a job has failed follows from the states of its runs. So a lease that expired counts like a failure, and no
 * longer counts if its executor comes back or if the work had not begun.
 */
export function listJudgedRuns(reporter: Reporter, runIds: readonly string[]): Promise<JudgedRun[]> {
  return run(judgedStatement, [reporter.tenantId, reporter.userId, runIds]);
}

import type { TaskResourceAttributes } from '../../attributes/domain/payloads.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { nameWithoutPrefix } from '../../registry/domain/single-task-workflow.ts';
import { readPlatformResources } from '../../registry/platform-resources.ts';
import { getSpec } from '../store/execution-specs.ts';
import type { LockedExecution } from '../store/locked-execution.ts';

/** What all jobs of an execution have in common. */
export interface JobSettings {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly envs: Readonly<Record<string, string>>;
  /** Null leaves it to each node. */
  readonly interruptible: boolean | null;
  /** The default resources of containers, and their limits. */
  readonly platform: TaskResourceAttributes;
}

/** These settings. They take two statements, so one turn reads them once, for all its attempts. */
export async function getJobSettings(
  tx: Tx,
  { id, tenantId, projectId, domain }: LockedExecution,
): Promise<JobSettings> {
  const { spec, interruptible, workflowName: workflow } = await getSpec(id, tx);
  const scope = { projectId, domain, workflow: nameWithoutPrefix(workflow), launchPlan: null };
  const platform = await readPlatformResources(tenantId, scope, tx);
  const { labels = {}, annotations = {}, envs = {} } = spec;
  return { labels, annotations, envs, interruptible, platform };
}

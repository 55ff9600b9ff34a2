import { serviceExecutionConfig } from '../../attributes/domain/execution-config.ts';
import { readMatching } from '../../attributes/store.ts';
import type { LaunchPlan } from '../../generated/prisma/client.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { leftoversIn } from '../../registry/domain/flyte-specs.ts';
import { oldIdentity, settingsIn } from '../../registry/domain/launch-plan-settings.ts';
import { nameWithoutPrefix } from '../../registry/domain/single-task-workflow.ts';
import { readWorkflowQuality } from '../../registry/store/workflow-quality.ts';
import type { Place } from '../../values/problem-list.ts';
import {
  type ExecutionSettings,
  type ResolvedSettings,
  resolveSettings,
  type ServiceSettings,
} from '../domain/execution-spec.ts';

/** Where an execution is to run, what it runs, and what the request for it says. */
interface NewExecutionSettings {
  readonly tenantId: string;
  readonly projectId: string;
  readonly domain: string;
  readonly projectLabels: Readonly<Record<string, string>>;
  readonly plan: Pick<LaunchPlan, 'name' | 'spec' | 'workflowId'>;
  readonly request: ExecutionSettings;
  /** Whether the request repeats what another execution has. */
  readonly isInherited: boolean;
}

const serviceSettings: ServiceSettings = {
  ...serviceExecutionConfig,
  ...controlPlaneConfig.executionDefaults,
};

/**
 * The settings of a new execution, as `resolveSettings` says. One statement reads all records of attributes; what the
 * workflow says is mostly in the cache. Problems are reported at the place.
 */
export async function resolveExecutionSettings(
  { tenantId, projectId, domain, projectLabels, plan, request, isInherited }: NewExecutionSettings,
  place: Place,
  tx?: Tx,
): Promise<ResolvedSettings> {
  const spec = plan.spec as unknown as { readonly workflowId: EntityKey };
  const scope = {
    projectId,
    domain,
    workflow: nameWithoutPrefix(spec.workflowId.name),
    launchPlan: nameWithoutPrefix(plan.name),
  };
  const records = await readMatching(tenantId, scope, consulted, tx);
  return resolveSettings(
    {
      request,
      isInherited,
      launchPlan: settingsIn(spec),
      oldIdentity: oldIdentity(leftoversIn(spec)),
      workflow: await readWorkflowQuality(plan.workflowId, tx),
      records,
      scope,
      projectLabels,
      service: serviceSettings,
    },
    place,
  );
}

const consulted = [
  'WORKFLOW_EXECUTION_CONFIG',
  'CLUSTER_ASSIGNMENT',
  'QUALITY_OF_SERVICE_SPECIFICATION',
  'EXECUTION_CLUSTER_LABEL',
] as const;

import type { JobSettings } from '../executions/commands/get-job-settings.ts';
import { clientIdOf } from '../executions/domain/client-id.ts';
import type { LockedExecution } from '../executions/store/locked-execution.ts';
import type { NewJobRequest } from '../jobs/commands/submit-jobs.ts';
import { interruptibleClass } from '../jobs/domain/priority-classes.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import type { TaskNode } from '../registry/domain/closure.ts';
import { resourcesOnPlatform } from '../registry/domain/platform-resources.ts';
import { mapRecord } from '../values/json.ts';
import type { LiteralMap } from '../values/literals.ts';
import { literalsBesidePlain } from '../values/literals-beside-plain.ts';
import { toPlain } from '../values/plain-values.ts';

/** The time between asking a program to end and killing it. */
const TERMINATION_GRACE_SECONDS = 5;

/**
 * The job that runs one attempt of a node. The variables of the execution come after those of the container, so they
 * count where both have a name, as in Flyte. Our own labels and variables always count.
 */
export function jobOfAttempt(
  execution: LockedExecution,
  settings: JobSettings,
  node: TaskNode,
  attempt: { nodeExecutionId: string; nodeId: string; attempt: number; inputs: LiteralMap },
): NewJobRequest {
  const { container, interface: signature } = node.task.template;
  if (!container) throw new Error(`the task of node ${node.id} has no container`);
  const isInterruptible = settings.interruptible ?? node.interruptible;
  return {
    clientId: clientIdOf(attempt.nodeExecutionId, attempt.attempt),
    priority: 0,
    priorityClass: isInterruptible
      ? (interruptibleClass(controlPlaneConfig.priorityClasses)?.name ?? null)
      : null,
    onPreemption: 'REQUEUE',
    activeDeadlineSeconds: node.timeoutSeconds,
    labels: {
      ...settings.labels,
      execution: execution.id,
      node: node.id,
      attempt: String(attempt.attempt),
    },
    annotations: settings.annotations,
    spec: {
      container: {
        ...container,
        env: [...container.env, ...Object.entries(settings.envs).map(([key, value]) => ({ key, value }))],
        resources: resourcesOnPlatform(container.resources, settings.platform),
      },
      interruptible: isInterruptible,
      interface: signature,
      inputs: mapRecord(attempt.inputs, toPlain),
      inputLiterals: literalsBesidePlain(signature.inputs, attempt.inputs),
      environment: {
        SLIPWAY_EXECUTION_ID: execution.id,
        SLIPWAY_EXECUTION_PROJECT: execution.project,
        SLIPWAY_EXECUTION_DOMAIN: execution.domain,
        SLIPWAY_EXECUTION_NAME: execution.name,
        SLIPWAY_NODE_ID: attempt.nodeId,
        SLIPWAY_ATTEMPT: String(attempt.attempt),
        SLIPWAY_TASK_NAME: node.task.id.name,
        SLIPWAY_TASK_VERSION: node.task.id.version,
      },
      terminationGraceSeconds: TERMINATION_GRACE_SECONDS,
    },
  };
}

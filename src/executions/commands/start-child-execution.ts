import { createHash } from 'node:crypto';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { effectiveInputs } from '../../registry/domain/effective-inputs.ts';
import { entityMetadataIn } from '../../registry/domain/entity-metadata.ts';
import type { LaunchPlanInputs } from '../../registry/domain/launch-plan.ts';
import { settingsIn } from '../../registry/domain/launch-plan-settings.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { Place, problemsText } from '../../values/problem-list.ts';
import { budgetsOf, limitOfChild } from '../domain/budgets.ts';
import type { ExecutionSettings } from '../domain/execution-spec.ts';
import { MAX_NESTING } from '../domain/limits.ts';
import { insertExecution } from '../store/create.ts';
import { type SpecRow, settingsOf } from '../store/execution-specs.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { resolveExecutionSettings } from './resolve-execution-settings.ts';
import { takeSlot } from './take-slot.ts';

/** The node of a launch plan, and the inputs that the workflow gives it. */
interface LaunchingNode {
  readonly id: string;
  readonly launchPlanId: string;
  readonly inputs: LiteralMap;
  /** The earlier execution of the node that the new one recovers; null if it starts afresh. */
  readonly recoversId: string | null;
}

/**
 * Starts the execution of a launch plan for a node of another execution: in the same project and domain, for the same
 * user, and one level deeper. Its settings are resolved as those of any execution; what its parent has counts as its
 * request, but a smaller limit of its own launch plan counts. Its name depends only on the node, so that a node never starts two.
 *
 * @param settings  those of the parent.
 * @returns why it cannot start: `NestedTooDeep`, `BindingFailed`, `SettingsRefused`, `ConcurrencyLimitReached`; null if it was started.
 */
export async function startChildExecution(
  tx: Tx,
  parent: LockedExecution,
  settings: SpecRow,
  node: LaunchingNode,
): Promise<WorkError | null> {
  if (parent.nesting >= MAX_NESTING)
    return refused('NestedTooDeep', `executions must be nested at most ${MAX_NESTING} levels deep`);
  const plan = await tx.launchPlan.findUniqueOrThrow({ where: { id: node.launchPlanId } });
  const effective = effectiveInputs(plan as unknown as LaunchPlanInputs, { inputLiterals: node.inputs });
  if (!effective.ok) return refused('BindingFailed', problemsText(effective));
  const place = new Place([]);
  const resolved = await resolveExecutionSettings(
    {
      ...parent,
      projectLabels: settings.projectLabels,
      plan,
      request: inheritedSettings(settings),
      isInherited: true,
    },
    place,
    tx,
  );
  const [problem] = place.problems.all;
  if (problem) return refused('SettingsRefused', problem.message);
  const slot = await takeSlot(tx, plan, { principalId: parent.principalId });
  if ('refusal' in slot) return refused('ConcurrencyLimitReached', slot.refusal);
  await insertExecution(
    {
      id: newId(),
      tenantId: parent.tenantId,
      projectId: parent.projectId,
      domain: parent.domain,
      name: childName(node.id),
      launchPlanId: plan.id,
      workflowId: plan.workflowId,
      workflowEntityId: plan.workflowEntityId,
      principalId: parent.principalId,
      queue: parent.queue,
      ...resolved,
      ...slot,
      maxParallelism: limitOfChild(resolved.maxParallelism, settingsIn(plan.spec as object).maxParallelism),
      mode: node.recoversId === null ? 'CHILD_WORKFLOW' : 'RECOVERED',
      referenceId: node.recoversId,
      sourceId: parent.id,
      parentNodeId: node.id,
      nesting: parent.nesting + 1,
      ...budgetsOf(parent),
      notifications: entityMetadataIn(plan.spec).notifications ?? null,
      userInputs: effective.value.userInputs,
      inputs: effective.value.inputs,
    },
    tx,
  );
  return null;
}

/**
 * What a child gets from its parent. Tags, the timeout, quality of service and the environments of nodes are about the
 * parent alone.
 * Source: the LaunchContext of Flyte's engine, which has no variables and no cluster pool; here they apply to all the
 * work of an execution.
 */
function inheritedSettings(parent: SpecRow): ExecutionSettings {
  const {
    tags: _tags,
    timeoutMilliseconds: _timeout,
    qualityOfService: _quality,
    executionEnvAssignments: _environments,
    ...settings
  } = settingsOf(parent);
  return settings;
}

const refused = (code: string, message: string): WorkError => ({ code, message, kind: 'USER' });

function childName(nodeExecutionId: string): string {
  return `f${createHash('sha256').update(nodeExecutionId).digest('hex').slice(0, 19)}`;
}

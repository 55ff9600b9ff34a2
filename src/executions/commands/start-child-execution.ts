import { createHash } from 'node:crypto';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { effectiveInputs } from '../../registry/domain/effective-inputs.ts';
import { entityMetadataIn } from '../../registry/domain/entity-metadata.ts';
import type { LaunchPlanInputs } from '../../registry/domain/launch-plan.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { insertExecution } from '../store/create.ts';
import type { LockedExecution } from '../store/locked-execution.ts';

/** How many executions may be above one, so that a launch plan that starts itself ends. */
export const MAX_NESTING = 32;

/** The node of a launch plan, and the inputs that the workflow gives it. */
interface LaunchingNode {
  readonly id: string;
  readonly launchPlanId: string;
  readonly inputs: LiteralMap;
}

/**
 * Starts the execution of a launch plan for a node of another execution: in the same project and domain, for the same
 * user, and one level deeper. Its name depends only on the node, so that a node never starts two.
 *
 * @returns why it cannot start: `NestedTooDeep`, `BindingFailed`; null if it was started.
 */
export async function startChildExecution(
  tx: Tx,
  parent: LockedExecution,
  node: LaunchingNode,
): Promise<WorkError | null> {
  if (parent.nesting >= MAX_NESTING)
    return refused('NestedTooDeep', `executions must be nested at most ${MAX_NESTING} levels deep`);
  const plan = await tx.launchPlan.findUniqueOrThrow({ where: { id: node.launchPlanId } });
  const effective = effectiveInputs(plan as unknown as LaunchPlanInputs, { inputLiterals: node.inputs });
  if (!effective.ok)
    return refused('BindingFailed', effective.problems.map((problem) => problem.message).join('; '));
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
      maxParallelism: parent.maxParallelism,
      mode: 'CHILD_WORKFLOW',
      sourceId: parent.id,
      parentNodeId: node.id,
      nesting: parent.nesting + 1,
      notifications: entityMetadataIn(plan.spec).notifications ?? null,
      userInputs: effective.value.userInputs,
      inputs: effective.value.inputs,
    },
    tx,
  );
  return null;
}

const refused = (code: string, message: string): WorkError => ({ code, message, kind: 'USER' });

function childName(nodeExecutionId: string): string {
  return `f${createHash('sha256').update(nodeExecutionId).digest('hex').slice(0, 19)}`;
}

import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { launchPlanTarget } from '../../registry/domain/targets.ts';
import { executionTarget } from '../domain/targets.ts';
import type { ExecutionRow, NodeExecutionRow } from '../store/reads.ts';

/** The edges to protected objects that several fields follow. */

/** The execution that a node has started; null if there is none, or if it is hidden from the caller. */
export const readableChild = guardedEdge(
  'execution:read',
  ({ id }: NodeExecutionRow, { loaders }) => loaders.childExecution.load(id),
  executionTarget,
);

/** The version of the launch plan that an execution runs; null if it is hidden from the caller. */
export const readableLaunchPlan = guardedEdge(
  'launchPlan:read',
  ({ launchPlanId }: ExecutionRow, { loaders }) => loaders.launchPlan.load({ id: launchPlanId }),
  launchPlanTarget,
);

import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf } from '../../graphql/input.ts';
import { addressText } from '../../platform/address-text.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { NodeKindEnum } from '../../registry/graphql/node-kind.ts';
import { type PlannedNode, planRecovery, type RecoveryAction } from '../commands/plan-recovery.ts';
import { recoveryObstacle } from '../commands/recover-execution.ts';
import type { ExecutionBy, ExecutionRow } from '../store/reads.ts';
import { ExecutionByInput } from './execution.ts';
import { NodeExecutionType } from './node-execution.ts';

const RecoveryActionEnum = enumOf<RecoveryAction>(
  'RecoveryAction',
  'What `recoverExecution` would do with a node.',
  {
    REUSE: 'The node has succeeded. It is RECOVERED, with its inputs and outputs, and does not run.',
    CONTINUE:
      'Parts of the node have succeeded, or the execution that it started can be recovered. These parts are reused, and only the others run.',
    RUN: 'The node runs, if the nodes before it succeed.',
  },
);

const PlannedNodeType = builder.objectRef<PlannedNode>('RecoveryPlanNode').implement({
  description: 'What `recoverExecution` would do with one node.',
  fields: (t) => ({
    nodeId: t.exposeString('nodeId', { description: "The node's id in the workflow, such as `train`." }),
    kind: t.expose('kind', { type: NodeKindEnum, description: 'What the node does.' }),
    action: t.expose('action', { type: RecoveryActionEnum, description: 'What would be done with it.' }),
    nodeExecution: t.field({
      type: NodeExecutionType,
      nullable: true,
      description: 'The node in the execution to recover; null if it had not started there.',
      resolve: ({ earlierId }, _args, { loaders }) =>
        earlierId === null ? null : loaders.nodeExecution.load(earlierId),
    }),
  }),
});

const RecoveryPlanType = builder.objectRef<ExecutionRow>('RecoveryPlan').implement({
  description: 'What `recoverExecution` would do with an execution, if it were called now.',
  fields: (t) => ({
    obstacle: t.string({
      nullable: true,
      description: 'Why the execution cannot be recovered now, for people; null if it can.',
      resolve: (execution) => recoveryObstacle(execution)?.message ?? null,
    }),
    nodes: t.field({
      type: [PlannedNodeType],
      extensions: { listSize: 1000 },
      description:
        'The nodes of the outermost workflow, in the order in which the workflow declares them, without its failure node.',
      resolve: (execution) => planRecovery(execution),
    }),
  }),
});

builder.queryField('recoveryPlan', (t) =>
  t.field({
    type: RecoveryPlanType,
    nullable: true,
    description:
      'Which nodes `recoverExecution` would reuse, and which it would run. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(ExecutionByInput, 'execution'),
    resolve: async (_root, { by }, { loaders }) => {
      const execution = await loaders.execution.load(by as ExecutionBy);
      if (!execution) throw new NotFoundError('execution', addressText(by), ['by']);
      return execution;
    },
  }),
);

import type { NodeKind } from '../../generated/prisma/enums.ts';
import { enumOf } from '../../graphql/enum.ts';

export const NodeKindEnum = enumOf<NodeKind>('NodeKind', 'What a node does.', {
  TASK: 'It runs a task, in one or more attempts.',
  WORKFLOW: 'It runs the nodes of a workflow inside of the same execution.',
  LAUNCH_PLAN: 'It starts an execution of a launch plan and waits for its end.',
  BRANCH: 'It runs the first of its nodes whose condition holds.',
  GATE: 'It waits for an approval, for another signal, or for some time.',
  ARRAY: 'It runs one node for each item of its lists.',
});

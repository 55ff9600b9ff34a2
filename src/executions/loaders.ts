import DataLoader from 'dataloader';
import type { Page } from '../platform/database/page.ts';
import { groupBy } from '../platform/group-by.ts';
import { addressLoader, childCounter, childLoader } from '../platform/loaders.ts';
import {
  countTasksOfNodes,
  type DataRow,
  type ExecutionBy,
  type ExecutionRow,
  type NodeExecutionRow,
  type NodeKey,
  type PhaseCountRow,
  readExecutionData,
  readExecutions,
  readNodeData,
  readNodeExecutions,
  readNodesByKey,
  readNodesOfExecutions,
  readPhaseCounts,
  readTaskData,
  readTaskExecutions,
  readTasksOfNodes,
  type TaskExecutionRow,
} from './store/reads.ts';

/**
 * The loaders of one request: each level of a nested answer takes one statement, whatever its size. The resolver gets
 * the same rows that the rule has read.
 */
export function executionLoaders(tenantId: string) {
  return {
    execution: addressLoader<ExecutionBy, ExecutionRow | null>((addresses) =>
      readExecutions(tenantId, addresses),
    ),
    nodeExecution: new DataLoader<string, NodeExecutionRow | null>(readNodeExecutions),
    nodeExecutionByKey: addressLoader<NodeKey, NodeExecutionRow | null>(readNodesByKey),
    taskExecution: new DataLoader<string, TaskExecutionRow | null>(readTaskExecutions),
    nodesOfExecution: childLoader<Page, NodeExecutionRow>(readNodesOfExecutions, (row) => row.executionId),
    tasksOfNode: childLoader<Page, TaskExecutionRow>(readTasksOfNodes, (row) => row.nodeExecutionId),
    taskCount: childCounter(countTasksOfNodes),
    executionData: new DataLoader<string, DataRow | null>(readExecutionData),
    nodeData: new DataLoader<string, DataRow | null>(readNodeData),
    taskData: new DataLoader<string, DataRow | null>(readTaskData),
    nodeCounts: new DataLoader<string, PhaseCountRow[]>(async (ids) => {
      const byExecution = groupBy(await readPhaseCounts(ids), (row) => row.executionId);
      return ids.map((id) => byExecution.get(id) ?? []);
    }),
  };
}

type ExecutionLoaders = ReturnType<typeof executionLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ExecutionLoaders {}
}

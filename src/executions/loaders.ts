import DataLoader from 'dataloader';
import { childCounter, childLoader } from '../platform/child-loader.ts';
import type { Page } from '../platform/database/page.ts';
import { groupBy } from '../platform/group-by.ts';
import {
  countTasksOfNodes,
  type DataRow,
  type ExecutionBy,
  type ExecutionRow,
  findNodeExecution,
  type NodeExecutionRow,
  type PhaseCountRow,
  readExecutionData,
  readExecutions,
  readNodeData,
  readNodeExecutions,
  readNodesOfExecutions,
  readPhaseCounts,
  readTaskData,
  readTaskExecutions,
  readTasksOfNodes,
  type TaskExecutionRow,
} from './store/reads.ts';

/**
 * One request's batches: each level of a nested answer is one statement, whatever its size. What a rule found to decide
 * is what the resolver answers.
 */
export function executionLoaders(tenantId: string) {
  const byText = <Key>(key: Key) => JSON.stringify(key);
  const each = <Row>(read: (ids: readonly string[]) => Promise<(Row | null)[]>) =>
    new DataLoader<string, Row | null>((ids) => read(ids));
  return {
    execution: new DataLoader<ExecutionBy, ExecutionRow | null, string>(
      (addresses) => readExecutions(tenantId, addresses),
      { cacheKeyFn: byText },
    ),
    nodeExecution: each<NodeExecutionRow>(readNodeExecutions),
    nodeExecutionByKey: new DataLoader<
      { executionId: string; nodeId: string },
      NodeExecutionRow | null,
      string
    >((keys) => Promise.all(keys.map((key) => findNodeExecution(key.executionId, key.nodeId))), {
      cacheKeyFn: byText,
    }),
    taskExecution: each<TaskExecutionRow>(readTaskExecutions),
    nodesOfExecution: childLoader<Page, NodeExecutionRow>(readNodesOfExecutions, (row) => row.executionId),
    tasksOfNode: childLoader<Page, TaskExecutionRow>(readTasksOfNodes, (row) => row.nodeExecutionId),
    taskCount: childCounter(countTasksOfNodes),
    executionData: each<DataRow>(readExecutionData),
    nodeData: each<DataRow>(readNodeData),
    taskData: each<DataRow>(readTaskData),
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

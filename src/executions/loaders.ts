import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { Page } from '../platform/database/page.ts';
import { groupBy } from '../platform/group-by.ts';
import { addressLoader, childCounter, childLoader, listLoader } from '../platform/loaders.ts';
import { executionsOfEach } from './store/lists.ts';
import { readNotifications } from './store/notices.ts';
import {
  type AttemptKey,
  countNodesInside,
  countNodesOfExecutions,
  countTasksOfNodes,
  type DataRow,
  type ExecutionBy,
  type ExecutionRow,
  type NodeExecutionRow,
  type NodeKey,
  readChildExecutions,
  readExecutionData,
  readExecutions,
  readItemCounts,
  readNodeData,
  readNodeExecutions,
  readNodesByKey,
  readNodesInside,
  readNodesOfExecutions,
  readPhaseCounts,
  readTaskData,
  readTaskExecutions,
  readTasksByAttempt,
  readTasksOfNodes,
  type TaskExecutionRow,
} from './store/reads.ts';
import { countSignalsOfExecutions, readSignalsOfExecutions, type SignalRow } from './store/signals.ts';

/**
 * The loaders of one request: each level of a nested answer takes one statement, whatever its size. The resolver gets
 * the same rows that the rule has read.
 */
export function executionLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    executionNotifications: new DataLoader(readNotifications),
    execution: addressLoader<ExecutionBy, ExecutionRow | null>((addresses) =>
      readExecutions(tenantId, addresses),
    ),
    nodeExecution: new DataLoader<string, NodeExecutionRow | null>(readNodeExecutions),
    nodeExecutionByKey: addressLoader<NodeKey, NodeExecutionRow | null>(readNodesByKey),
    taskExecution: new DataLoader<string, TaskExecutionRow | null>(readTaskExecutions),
    taskExecutionByAttempt: addressLoader<AttemptKey, TaskExecutionRow | null>(readTasksByAttempt),
    executionsOfProject: listLoader(executionsOfEach(reader, 'project'), (row) => row.projectId),
    executionsOfWorkflow: listLoader(executionsOfEach(reader, 'workflow'), (row) => row.workflowId),
    executionsOfLaunchPlan: listLoader(executionsOfEach(reader, 'launchPlan'), (row) => row.launchPlanId),
    nodesOfExecution: childLoader<Page, NodeExecutionRow>(readNodesOfExecutions, (row) => row.executionId),
    nodeCountOfExecution: childCounter(countNodesOfExecutions),
    nodesInside: childLoader<Page, NodeExecutionRow>(readNodesInside, (row) => row.parentId),
    nodeCountInside: childCounter(countNodesInside),
    itemCounts: groupLoader(readItemCounts, (row) => row.arrayId),
    childExecution: new DataLoader<string, ExecutionRow | null>(async (ids) => {
      const byNode = new Map((await readChildExecutions(ids)).map((row) => [row.parentNodeId, row]));
      return ids.map((id) => byNode.get(id) ?? null);
    }),
    signalsOfExecution: childLoader<Page, SignalRow>(readSignalsOfExecutions, (row) => row.executionId),
    signalCount: childCounter(countSignalsOfExecutions),
    tasksOfNode: childLoader<Page, TaskExecutionRow>(readTasksOfNodes, (row) => row.nodeExecutionId),
    taskCount: childCounter(countTasksOfNodes),
    executionData: new DataLoader<string, DataRow | null>(readExecutionData),
    nodeData: new DataLoader<string, DataRow | null>(readNodeData),
    taskData: new DataLoader<string, DataRow | null>(readTaskData),
    nodeCounts: groupLoader(readPhaseCounts, (row) => row.executionId),
  };
}

/** All rows of each parent, for lists that are short. */
function groupLoader<Row>(read: (ids: readonly string[]) => Promise<Row[]>, parentOf: (row: Row) => string) {
  return new DataLoader<string, Row[]>(async (ids) => {
    const byParent = groupBy(await read(ids), parentOf);
    return ids.map((id) => byParent.get(id) ?? []);
  });
}

type ExecutionLoaders = ReturnType<typeof executionLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends ExecutionLoaders {}
}

import DataLoader from 'dataloader';
import { keepGrants } from '../authorization/can.ts';
import { managesTenant } from '../authorization/domain/roles.ts';
import type { Reader } from '../authorization/store/readable.ts';
import { addressText } from '../platform/address-text.ts';
import type { Page } from '../platform/database/page.ts';
import { groupBy } from '../platform/group-by.ts';
import { isId } from '../platform/ids.ts';
import { addressLoader, childCounter, childLoader, listLoader } from '../platform/loaders.ts';
import { executionTarget } from './domain/targets.ts';
import { type DataRow, readExecutionData, readNodeData, readTaskData } from './store/data.ts';
import {
  type DynamicWorkflowRow,
  type NodeDetailsRow,
  readDynamicWorkflows,
  readNodeDetails,
  readTaskDetails,
  type TaskDetailsRow,
} from './store/details.ts';
import { readPhaseCountsOfProjects } from './store/execution-counts.ts';
import { readShownSpecs } from './store/execution-specs.ts';
import { readExecutionWithGrants } from './store/execution-with-grants.ts';
import { type ExecutionListFilter, executionsOfEach, type ProjectPhaseCount } from './store/lists.ts';
import { nodesWithAttempts } from './store/nodes-with-attempts.ts';
import { readNotifications } from './store/notices.ts';
import { tasksOfEach } from './store/part-lists.ts';
import {
  type AttemptKey,
  type ExecutionBy,
  type ExecutionRow,
  type NodeExecutionRow,
  type NodeKey,
  readChildExecutions,
  readExecutions,
  readItemCounts,
  readNodeExecutions,
  readNodesByKey,
  readPhaseCounts,
  readTaskExecutions,
  readTasksByAttempt,
  readTasksByKey,
  type TaskExecutionRow,
  type TaskKey,
} from './store/reads.ts';
import {
  countSignalsOfExecutions,
  readSignals,
  readSignalsOfExecutions,
  type SignalKey,
  type SignalRow,
} from './store/signals.ts';
import { readSpanParts } from './store/spans.ts';

/**
 * The loaders of one request: each level of a nested answer takes one statement, whatever its size. The resolver gets
 * the same rows that the rule has read.
 */
export function executionLoaders(reader: Reader) {
  const { tenantId } = reader;
  const execution = addressLoader<ExecutionBy, ExecutionRow | null>((addresses) =>
    readExecutions(tenantId, addresses),
  );
  return {
    execution,
    executionWithGrants: loaderWithGrants(reader, execution),
    executionNotifications: new DataLoader(readNotifications),
    nodeExecution: new DataLoader<string, NodeExecutionRow | null>(readNodeExecutions),
    nodeExecutionByKey: addressLoader<NodeKey, NodeExecutionRow | null>(readNodesByKey),
    taskExecution: new DataLoader<string, TaskExecutionRow | null>(readTaskExecutions),
    taskExecutionByAttempt: addressLoader<AttemptKey, TaskExecutionRow | null>(readTasksByAttempt),
    taskExecutionByKey: addressLoader<TaskKey, TaskExecutionRow | null>(readTasksByKey),
    executionsOfProject: listLoader(executionsOfEach(reader, 'project')),
    executionsOfWorkflow: listLoader(executionsOfEach(reader, 'workflow')),
    executionsOfLaunchPlan: listLoader(executionsOfEach(reader, 'launchPlan')),
    nodesOfExecution: listLoader(nodesWithAttempts('execution')),
    nodesInside: listLoader(nodesWithAttempts('node')),
    nodesOfTask: listLoader(nodesWithAttempts('task')),
    itemCounts: groupLoader(readItemCounts, (row) => row.arrayId),
    childExecution: new DataLoader<string, ExecutionRow | null>(async (ids) => {
      const byNode = new Map((await readChildExecutions(ids)).map((row) => [row.startedBy, row]));
      return ids.map((id) => byNode.get(id) ?? null);
    }),
    signal: addressLoader<SignalKey, SignalRow | null>(readSignals),
    signalsOfExecution: childLoader<Page, SignalRow>(readSignalsOfExecutions, (row) => row.executionId),
    signalCount: childCounter(countSignalsOfExecutions),
    tasksOfNode: listLoader(tasksOfEach),
    executionSpec: new DataLoader(readShownSpecs),
    executionData: new DataLoader<string, DataRow | null>(readExecutionData),
    nodeData: new DataLoader<string, DataRow | null>(readNodeData),
    nodeDetails: new DataLoader<string, NodeDetailsRow | null>(readNodeDetails),
    taskDetails: new DataLoader<string, TaskDetailsRow | null>(readTaskDetails),
    dynamicWorkflow: new DataLoader<string, DynamicWorkflowRow | null>(readDynamicWorkflows),
    taskData: new DataLoader<string, DataRow | null>(readTaskData),
    spanParts: new DataLoader(readSpanParts),
    phaseCountsOfProject: phaseCounter(reader),
    nodeCounts: groupLoader(readPhaseCounts, (row) => row.executionId),
  };
}

/**
 * The execution of a rule, which asks for the caller's grants next. The grants of one execution are read in the same
 * statement. Those of several take one statement more, and so do malformed ids, which no object has.
 */
function loaderWithGrants(reader: Reader, execution: ExecutionLoader): ExecutionLoader {
  return addressLoader<ExecutionBy, ExecutionRow | null>(async (addresses) => {
    const [by] = addresses;
    const needsGrants = !managesTenant(reader.role);
    if (!by || addresses.length > 1 || !needsGrants || ('id' in by && !isId(by.id)))
      return await Promise.all(addresses.map((one) => execution.load(one)));
    const { execution: row, grants } = await readExecutionWithGrants(reader, by);
    keepGrants(reader, { kind: 'execution', key: addressText(by) }, row && executionTarget(row), grants);
    execution.prime(by, row);
    return [row];
  });
}

type ExecutionLoader = DataLoader<ExecutionBy, ExecutionRow | null, string>;

/** How many executions of a project are in each phase. Nothing is cached, as for lists. */
const phaseCounter = (reader: Reader) =>
  childLoader<ExecutionListFilter, ProjectPhaseCount>(
    (projectIds, filter) => readPhaseCountsOfProjects(reader, filter, projectIds),
    (row) => row.projectId,
    { cache: false },
  );

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

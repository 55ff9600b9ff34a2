import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { ExecutionType } from './graphql/execution.ts';
import { NodeExecutionType } from './graphql/node-execution.ts';
import { TaskExecutionType } from './graphql/task-execution.ts';
import { executionLoaders } from './loaders.ts';
import { executionRules } from './rules.ts';
import { executionNodes, nodeExecutionNodes, taskExecutionNodes } from './store/lists.ts';
import './graphql/execution-lists.ts';
import './graphql/execution-mutations.ts';
import './graphql/execution-notifications.ts';
import './graphql/execution-event.ts';
import './graphql/execution-metrics.ts';
import './graphql/gate-signal.ts';
import './graphql/node-lists.ts';
import './graphql/task-lists.ts';
import './graphql/task-execution-lookup.ts';
import './graphql/node-execution-details.ts';
import './graphql/task-execution-details.ts';
import './graphql/recovery-plan.ts';
import './graphql/terminate.ts';
import './graphql/workflow-events.ts';
import './graphql/node-events.ts';
import './graphql/task-events.ts';
import './graphql/signal.ts';
import './graphql/cache-entry.ts';

export const executions: Capability = {
  rules: [executionRules],
  loaders: executionLoaders,
  nodes: [
    nodeType(ExecutionType, 'execution:read', executionNodes, (id, { loaders }) =>
      loaders.execution.load({ id }),
    ),
    nodeType(NodeExecutionType, 'execution:read', nodeExecutionNodes, (id, { loaders }) =>
      loaders.nodeExecution.load(id),
    ),
    nodeType(TaskExecutionType, 'execution:read', taskExecutionNodes, (id, { loaders }) =>
      loaders.taskExecution.load(id),
    ),
  ],
};

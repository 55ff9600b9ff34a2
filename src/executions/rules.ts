import { can, type Finder, type RootRules } from '../graphql/permissions.ts';
import { ofProject } from '../projects/rules.ts';
import { loadNodeExecution, type NodeExecutionBy } from './graphql/node-execution.ts';
import type { ExecutionBy } from './store/reads.ts';

const keyOf = (by: ExecutionBy) => ('id' in by ? by.id : by.key.name);

const ofExecution = (by: (args: never) => ExecutionBy): Finder => ({
  kind: 'execution',
  key: (args) => keyOf(by(args as never)),
  target: (args, { loaders }) => loaders.execution.load(by(args as never)),
});

const ofExecutionBy = ofExecution(({ by }: { by: ExecutionBy }) => by);

/** A node is its execution's, whose readers may read it. */
const ofNodeExecution: Finder = {
  kind: 'node execution',
  key: (args) => {
    const by = args['by'] as NodeExecutionBy;
    return 'id' in by ? by.id : by.key.nodeId;
  },
  target: async (args, { loaders }) => {
    const node = await loadNodeExecution(args['by'] as NodeExecutionBy, loaders);
    return node && (await loaders.execution.load({ id: node.executionId }));
  },
};

const ofTaskExecution: Finder = {
  kind: 'task execution',
  key: (args) => String(args['id']),
  target: async (args, { loaders }) => {
    const task = await loaders.taskExecution.load(String(args['id']));
    return task && (await loaders.execution.load({ id: task.executionId }));
  },
};

export const executionRules: RootRules = {
  Query: {
    execution: can('execution:read', ofExecutionBy),
    executions: can(
      'execution:read',
      ofProject(({ filter }: { filter: { project: string } }) => filter.project),
    ),
    nodeExecution: can('execution:read', ofNodeExecution),
    nodeExecutions: can('execution:read', ofExecutionBy),
    taskExecution: can('execution:read', ofTaskExecution),
  },
  Mutation: {
    createExecution: can(
      'execution:create',
      ofProject(({ input }: { input: { project: string } }) => input.project),
    ),
    terminateExecution: can(
      'execution:terminate',
      ofExecution(({ input }: { input: { by: ExecutionBy } }) => input.by),
    ),
  },
  Subscription: {
    executionEvents: can('execution:read', ofExecutionBy),
    nodeExecutionEvents: can('execution:read', ofExecutionBy),
  },
};

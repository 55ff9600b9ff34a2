import type { Target } from '../authorization/domain/resources.ts';
import { can, type Finder, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { NO_ID } from '../platform/ids.ts';
import { ofProjectWithNew, ofProjectWithWorkflows } from '../registry/rules.ts';
import { executionTarget } from './domain/targets.ts';
import { loadNodeExecution, type NodeExecutionBy } from './graphql/node-execution.ts';
import type { ExecutionBy, ExecutionRow } from './store/reads.ts';

const targetOf = (execution: ExecutionRow | null): Target | null => execution && executionTarget(execution);

const ofExecution = (by: (args: never) => ExecutionBy): Finder => ({
  kind: 'execution',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => targetOf(await loaders.execution.load(by(args as never))),
});

const ofExecutionBy = ofExecution(({ by }: { by: ExecutionBy }) => by);

/** A node is its execution's, whose readers may read it. */
const ofNodeExecution: Finder = {
  kind: 'node execution',
  key: (args) => addressText(args['by'] as NodeExecutionBy),
  target: async (args, { loaders }) => {
    const node = await loadNodeExecution(args['by'] as NodeExecutionBy, loaders);
    return targetOf(await loaders.execution.load({ id: node?.executionId ?? NO_ID }));
  },
};

const ofTaskExecution: Finder = {
  kind: 'task execution',
  key: (args) => String(args['id']),
  target: async (args, { loaders }) => {
    const task = await loaders.taskExecution.load(String(args['id']));
    return targetOf(await loaders.execution.load({ id: task?.executionId ?? NO_ID }));
  },
};

export const executionRules: RootRules = {
  Query: {
    execution: can('execution:read', ofExecutionBy),
    executions: can(
      'execution:read',
      ofProjectWithWorkflows(({ filter }: { filter: { project: string } }) => filter.project),
    ),
    nodeExecution: can('execution:read', ofNodeExecution),
    nodeExecutions: can('execution:read', ofExecutionBy),
    taskExecution: can('execution:read', ofTaskExecution),
  },
  Mutation: {
    createExecution: can(
      'execution:create',
      ofProjectWithNew(({ input }: { input: { project: string } }) => input.project),
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

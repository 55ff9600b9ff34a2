import type { Target } from '../authorization/domain/resources.ts';
import { can, type Finder, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { NO_ID } from '../platform/ids.ts';
import { projectTarget } from '../projects/domain/targets.ts';
import { ofProjectWithWorkflows } from '../registry/rules.ts';
import type { VersionBy } from '../registry/store.ts';
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

interface NewExecutionArguments {
  readonly input: { readonly project: string; readonly launchPlan: VersionBy };
}

/** An execution that is to be: of the workflow that its launch plan is for, in its project. */
const ofNewExecution: Finder = {
  kind: 'project',
  key: (args) => (args as unknown as NewExecutionArguments).input.project,
  async target(args, { loaders }) {
    const { input } = args as unknown as NewExecutionArguments;
    const [project, plan] = await Promise.all([
      loaders.project.load({ identifier: input.project }),
      loaders.launchPlanBy.load(input.launchPlan),
    ]);
    if (!project) return null;
    const target = projectTarget(project);
    return plan
      ? executionTarget({
          tenantId: project.tenantId,
          projectId: project.id,
          workflowEntityId: plan.workflowEntityId,
        })
      : target;
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
    createExecution: can('execution:create', ofNewExecution),
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

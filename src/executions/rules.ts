import { type Find, isSeen } from '../authorization/can.ts';
import type { Target } from '../authorization/domain/resources.ts';
import { type Context, callerOf } from '../graphql/context.ts';
import { can, canOnSome, type Finder, type RootRules, ruleBy } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { NO_ID } from '../platform/ids.ts';
import { ofProject } from '../projects/rules.ts';
import { launchPlanTarget, taskTarget } from '../registry/domain/targets.ts';
import { ofProjectWithNew, ofProjectWithWorkflows } from '../registry/rules.ts';
import type { VersionBy } from '../registry/store.ts';
import { executionTarget } from './domain/targets.ts';
import { loadNodeExecution, type NodeExecutionBy } from './graphql/node-execution.ts';
import { attemptText, loadTaskExecution, type TaskExecutionBy } from './graphql/task-execution-lookup.ts';
import type { ExecutionBy, ExecutionRow } from './store/reads.ts';

const targetOf = (execution: ExecutionRow | null): Target | null => execution && executionTarget(execution);

const ofExecution = (by: (args: never) => ExecutionBy): Finder => ({
  kind: 'execution',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => targetOf(await loaders.executionWithGrants.load(by(args as never))),
});

const ofExecutionBy = ofExecution(({ by }: { by: ExecutionBy }) => by);

const ofInputBy = ofExecution(({ input }: { input: { by: ExecutionBy } }) => input.by);

const ofInputExecution = ofExecution(({ input }: { input: { execution: ExecutionBy } }) => input.execution);

/** A node has the target of its execution. */
const ofNodeAt = (by: (args: never) => NodeExecutionBy): Finder => ({
  kind: 'node execution',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => {
    const node = await loadNodeExecution(by(args as never), loaders);
    return targetOf(await loaders.execution.load({ id: node?.executionId ?? NO_ID }));
  },
});

const ofNodeExecution = ofNodeAt(({ by }: { by: NodeExecutionBy }) => by);

const ofInputNode = ofNodeAt(({ input }: { input: { by: NodeExecutionBy } }) => input.by);

const ofTaskExecution: Finder = {
  kind: 'task execution',
  key: (args) => attemptText(args['by'] as TaskExecutionBy),
  target: async (args, { loaders }) => {
    const task = await loadTaskExecution(args['by'] as TaskExecutionBy, loaders);
    return targetOf(await loaders.execution.load({ id: task?.executionId ?? NO_ID }));
  },
};

interface NewExecutionArguments {
  readonly input: {
    readonly project: string;
    readonly launchPlan?: VersionBy | null;
    readonly task?: VersionBy | null;
  };
}

const inProjectOfNew = ofProjectWithNew(({ input }: NewExecutionArguments) => input.project);

/** What a new execution is to run; null if the input names nothing. */
async function launchEntityOf(
  { launchPlan, task }: NewExecutionArguments['input'],
  { loaders }: Context,
): Promise<{ readonly name: Find; readonly target: Target | null } | null> {
  if (launchPlan) {
    const plan = await loaders.launchPlan.load(launchPlan);
    const name = { kind: 'launch plan', key: addressText(launchPlan) } as const;
    return { name, target: plan && launchPlanTarget(plan) };
  }
  const found = task ? await loaders.task.load(task) : null;
  return task ? { name: { kind: 'task', key: addressText(task) }, target: found && taskTarget(found) } : null;
}

/**
 * The project of a new execution. What it runs is looked up at the same time, so that one statement reads the grants on
 * both. The command checks it, and finds both rows and grants in the cache.
 */
const ofNewExecution: Finder = {
  ...inProjectOfNew,
  async target(args, context) {
    const [project, entity] = await Promise.all([
      inProjectOfNew.target(args, context),
      launchEntityOf((args as unknown as NewExecutionArguments).input, context),
    ]);
    const caller = callerOf(context);
    await Promise.all([
      isSeen(caller, { kind: 'project', key: inProjectOfNew.key(args, context) }, project),
      entity && isSeen(caller, entity.name, entity.target),
    ]);
    return project;
  },
};

interface ListArguments {
  readonly filter?: { readonly project?: string | null } | null;
}

const inTenant = can('execution:list');
const inProject = can(
  'execution:read',
  ofProjectWithWorkflows(({ filter }: ListArguments) => filter?.project ?? ''),
);

export const executionRules: RootRules = {
  Query: {
    cacheEntries: can(
      'cacheEntry:read',
      ofProject(({ filter }: { filter: { project: string } }) => filter.project),
    ),
    execution: can('execution:read', ofExecutionBy),
    executions: ruleBy(({ filter }: ListArguments) => (filter?.project == null ? inTenant : inProject)),
    nodeExecution: can('execution:read', ofNodeExecution),
    nodeExecutions: can('execution:read', ofExecutionBy),
    recoveryPlan: can('execution:read', ofExecutionBy),
    signals: can('execution:read', ofExecutionBy),
    taskExecution: can('execution:read', ofTaskExecution),
    taskExecutions: can('execution:read', ofNodeExecution),
  },
  Mutation: {
    createExecution: can('execution:create', ofNewExecution),
    recoverExecution: can('execution:create', ofInputBy),
    // The command checks the launch plan, and the project if it is not that of the launch plan.
    relaunchExecution: can('execution:create', ofInputBy),
    updateExecution: can('execution:update', ofInputBy),
    terminateExecution: can('execution:terminate', ofInputBy),
    // The command asks the rule of `terminateExecution` for each execution.
    terminateExecutions: canOnSome('execution:terminate'),
    terminateNodeExecution: can('execution:terminate', ofInputNode),
    evictCacheEntries: can(
      'cacheEntry:evict',
      ofProject(({ input }: { input: { project: string } }) => input.project),
    ),
    createSignal: can('execution:signal', ofInputExecution),
    setSignal: can('execution:signal', ofInputExecution),
    createWorkflowEvent: can('execution:report', ofInputExecution),
    createNodeEvent: can('execution:report', ofInputExecution),
    createTaskEvent: can('execution:report', ofInputExecution),
  },
  Subscription: {
    executionEvents: can('execution:read', ofExecutionBy),
    nodeExecutionEvents: can('execution:read', ofExecutionBy),
  },
};

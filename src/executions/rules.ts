import { isSeen } from '../authorization/can.ts';
import type { Target } from '../authorization/domain/resources.ts';
import { callerOf } from '../graphql/context.ts';
import { can, type Finder, type RootRules, ruleBy } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { NO_ID } from '../platform/ids.ts';
import { ofProject } from '../projects/rules.ts';
import { launchPlanTarget } from '../registry/domain/targets.ts';
import { ofProjectWithNew, ofProjectWithWorkflows } from '../registry/rules.ts';
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

const ofInputExecution = ofExecution(({ input }: { input: { execution: ExecutionBy } }) => input.execution);

/** A node has the target of its execution. */
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
  key: (args) => (args as unknown as { by: { id: string } }).by.id,
  target: async (args, { loaders }) => {
    const task = await loaders.taskExecution.load((args as unknown as { by: { id: string } }).by.id);
    return targetOf(await loaders.execution.load({ id: task?.executionId ?? NO_ID }));
  },
};

interface NewExecutionArguments {
  readonly input: { readonly project: string; readonly launchPlan: VersionBy };
}

const inProjectOfNew = ofProjectWithNew(({ input }: NewExecutionArguments) => input.project);

/**
 * The project of a new execution. Its launch plan is looked up at the same time, so that one statement reads the grants
 * on both. The command checks the launch plan, and finds both rows and grants in the cache.
 */
const ofNewExecution: Finder = {
  ...inProjectOfNew,
  async target(args, context) {
    const { launchPlan: by } = (args as unknown as NewExecutionArguments).input;
    const [project, plan] = await Promise.all([
      inProjectOfNew.target(args, context),
      context.loaders.launchPlan.load(by),
    ]);
    const caller = callerOf(context);
    await Promise.all([
      isSeen(caller, { kind: 'project', key: inProjectOfNew.key(args, context) }, project),
      isSeen(caller, { kind: 'launch plan', key: addressText(by) }, plan && launchPlanTarget(plan)),
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
    signals: can('execution:read', ofExecutionBy),
    taskExecution: can('execution:read', ofTaskExecution),
  },
  Mutation: {
    createExecution: can('execution:create', ofNewExecution),
    terminateExecution: can(
      'execution:terminate',
      ofExecution(({ input }: { input: { by: ExecutionBy } }) => input.by),
    ),
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

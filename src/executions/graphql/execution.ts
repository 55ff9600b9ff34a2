import type {
  ExecutionEngine,
  ExecutionMode,
  ExecutionPhase,
  ExecutionState,
  LaunchEntity,
} from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { readsOf } from '../../graphql/reads.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { taskTarget, workflowTarget } from '../../registry/domain/targets.ts';
import { LaunchPlanType } from '../../registry/graphql/launch-plan.ts';
import { TaskType } from '../../registry/graphql/task.ts';
import { WorkflowType } from '../../registry/graphql/workflow.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { AbortType, abortOf } from './abort.ts';
import { executionSettingFields } from './execution-settings.ts';
import { NodeExecutionConnection, NodeExecutionType, NodePhaseCountType } from './node-execution.ts';
import { type NodeListArguments, nodeListArguments, nodesOf } from './node-lists.ts';
import { readableLaunchPlan } from './readable-edges.ts';
import { DataType, durationOf, noData } from './values.ts';

export const ExecutionPhaseEnum = enumOf<ExecutionPhase>(
  'ExecutionPhase',
  'The phase of an execution. Each phase that is not final may also change directly to a final one.',
  {
    QUEUED: 'The execution is accepted and none of its nodes has started. RUNNING follows.',
    RUNNING: 'Its nodes run. SUCCEEDING, FAILING or ABORTING follows.',
    SUCCEEDING: 'All nodes are done, and the outputs are being collected. SUCCEEDED or FAILING follows.',
    SUCCEEDED: 'The execution is done and its outputs are stored. Final.',
    FAILING: 'A node has failed, and the nodes that still run are being stopped or finished. FAILED follows.',
    FAILED: 'The execution failed; `error` says why. Final.',
    ABORTING:
      'A user has aborted the execution, and its work is being stopped. ABORTED follows, unless the work ends by itself first.',
    ABORTED: 'A user has aborted the execution, and its work has stopped; `abort` says who and why. Final.',
    TIMED_OUT: 'The execution took longer than allowed. Final.',
  },
);

export const ExecutionModeEnum = enumOf<ExecutionMode>('ExecutionMode', 'What started an execution.', {
  MANUAL: 'A user or a program called `createExecution`.',
  SCHEDULED: 'The schedule of a launch plan was due.',
  SYSTEM: 'The platform itself started it.',
  RELAUNCH: 'It repeats an earlier execution with the same inputs.',
  CHILD_WORKFLOW: 'A node of another execution started it.',
  RECOVERED: 'It repeats a failed execution, and uses the results of the nodes that succeeded there.',
  TRIGGER: 'An execution of another launch plan has ended: see `LaunchPlan.triggers`.',
});

export const ExecutionEngineEnum = enumOf<ExecutionEngine>('ExecutionEngine', 'What runs an execution.', {
  SLIPWAY: 'Our scheduler starts its nodes, and our executors run them.',
  EXTERNAL:
    'An engine of yours runs it and sends events: `createWorkflowEvent`, `createNodeEvent`, `createTaskEvent`.',
});

export const ExecutionStateEnum = enumOf<ExecutionState>(
  'ExecutionState',
  'Whether lists show an execution. It has nothing to do with its phase.',
  {
    ACTIVE: 'Lists show it.',
    ARCHIVED: 'Lists leave it out, unless they are asked for archived executions.',
  },
);

const StateChangeType = builder.objectRef<ExecutionRow>('ExecutionStateChange').implement({
  description: 'The last change of the state of an execution by `updateExecution`.',
  fields: (t) => ({
    occurredAt: t.field({
      type: 'DateTime',
      description: 'When it happened.',
      resolve: ({ stateChangedAt, createdAt }) => stateChangedAt ?? createdAt,
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who set the state.',
      resolve: ({ stateChangedById }, _args, { loaders }) =>
        stateChangedById ? loaders.publicUser.load(stateChangedById) : null,
    }),
  }),
});

export const LaunchEntityEnum = enumOf<LaunchEntity>('LaunchEntity', 'What an execution was asked to run.', {
  LAUNCH_PLAN: 'A version of a launch plan, with its workflow.',
  TASK: 'A single task, for which the server made a workflow.',
});

const reads = readsOf<ExecutionRow>();

export const ExecutionType = builder.objectRef<ExecutionRow>('Execution').implement({
  description: 'One execution of a launch plan: it runs the workflow once, with the given inputs.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project of the execution; null if it is hidden from you.',
      ...reads(
        ['projectId'],
        guardedEdge(
          'project:read',
          ({ projectId }: Pick<ExecutionRow, 'projectId'>, { loaders }) =>
            loaders.project.load({ id: projectId }),
          projectTarget,
        ),
      ),
    }),
    projectIdentifier: t.exposeString('project', {
      description: 'The identifier of the project. It is shown even if the project is hidden from you.',
    }),
    domain: t.exposeString('domain', {
      description: 'The domain of the project that it runs in, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name, unique in its project and domain.' }),
    phase: t.expose('phase', {
      type: ExecutionPhaseEnum,
      description: 'The current phase of the execution.',
    }),
    state: t.expose('state', {
      type: ExecutionStateEnum,
      description: 'Whether lists show the execution by default.',
    }),
    stateChange: t.field({
      type: StateChangeType,
      nullable: true,
      description: 'Who set the state and when; null if nobody has set it.',
      resolve: (execution) => (execution.stateChangedAt === null ? null : execution),
    }),
    engine: t.expose('engine', { type: ExecutionEngineEnum, description: 'What runs the execution.' }),
    cluster: t.exposeString('cluster', {
      nullable: true,
      description:
        'The name of the engine from outside that runs it. Null before its first event, unless the configuration of the server names clusters.',
    }),
    queuedByConcurrencyPolicy: t.boolean({
      description:
        'Whether it is QUEUED because its launch plan allows no more executions at the same time. It starts when others have ended.',
      resolve: ({ phase, awaitsSlot }) => awaitsSlot && phase === 'QUEUED',
    }),
    mode: t.expose('mode', { type: ExecutionModeEnum, description: 'What started the execution.' }),
    scheduledAt: t.expose('scheduledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The nominal time of the schedule that started it; null if no schedule did.',
    }),
    queue: t.exposeString('queue', { description: 'The name of the queue that its jobs wait on.' }),
    ...executionSettingFields(t),
    launchEntity: t.expose('launchEntity', {
      type: LaunchEntityEnum,
      description: 'Whether it was asked to run a launch plan or a single task.',
    }),
    task: t.field({
      type: TaskType,
      nullable: true,
      description:
        'The version of the task, if it was asked to run a single one; null if not, and if the task is hidden from you.',
      resolve: guardedEdge(
        'task:read',
        ({ taskId }, { loaders }) => (taskId === null ? null : loaders.task.load({ id: taskId })),
        taskTarget,
      ),
    }),
    namespace: t.string({
      description: 'The namespace of its work on a cluster: the project and the domain, joined by a hyphen.',
      ...reads(['project', 'domain'], ({ project, domain }) => `${project}-${domain}`),
    }),
    nesting: t.exposeInt('nesting', {
      description: 'How many executions are above it: 0 unless a node of another execution started it.',
    }),
    launchPlan: t.field({
      type: LaunchPlanType,
      nullable: true,
      description: 'The version of the launch plan that it runs; null if it is hidden from you.',
      resolve: readableLaunchPlan,
    }),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      description: 'The version of the workflow that it runs; null if it is hidden from you.',
      resolve: guardedEdge(
        'workflow:read',
        (execution, { loaders }) => loaders.workflow.load({ id: execution.workflowId }),
        workflowTarget,
      ),
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who created the execution.',
      resolve: (execution, _args, { loaders }) => loaders.publicUser.load(execution.principalId),
    }),
    error: t.field({
      type: WorkErrorType,
      nullable: true,
      description: 'Why the execution failed; null if it did not fail.',
      resolve: workErrorOf,
    }),
    errorNodeId: t.exposeString('errorNodeId', {
      nullable: true,
      description:
        'The id, in the workflow, of the node whose failure made the execution fail; null if no node failed.',
    }),
    abort: t.field({
      type: AbortType,
      nullable: true,
      description: 'Who aborted the execution and why; null if nobody did.',
      resolve: abortOf,
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its first node began to run; null before that.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it reached a final phase; null before that.',
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'The time from start to end; null before the end, and if it never started.',
      ...reads(['startedAt', 'endedAt'], durationOf),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the execution was created.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the execution last changed. Changes of its nodes do not count.',
    }),
    data: t.field({
      type: DataType,
      description: 'The inputs and outputs of the execution.',
      ...reads(
        ['id'],
        async ({ id }, _args, { loaders }) => (await loaders.executionData.load(id)) ?? noData,
      ),
    }),
    nodeCounts: t.field({
      type: [NodePhaseCountType],
      description:
        'How many nodes are in each phase, also those inside of others. Phases without nodes are left out.',
      ...reads(['id'], ({ id }, _args, { loaders }) => loaders.nodeCounts.load(id), { listSize: 10 }),
    }),
    nodeExecutions: t.connection(
      {
        type: NodeExecutionType,
        description:
          'The nodes of the outermost workflow that are ready to run, run or have run. Nodes inside of others are in their `childNodeExecutions`.',
        args: nodeListArguments,
        ...reads(['id'], ({ id }, args: NodeListArguments, { loaders }, info) =>
          nodesOf(loaders.nodesOfExecution, id, args, info),
        ),
      },
      NodeExecutionConnection,
    ),
  }),
});

export const ExecutionConnection = connectionType(ExecutionType);

const ExecutionKeyInput = builder.inputType('ExecutionKeyInput', {
  description: 'What identifies an execution.',
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain that it runs in, such as `development`.' }),
    name: t.string({ required: true, description: "The execution's name." }),
  }),
});

export const ExecutionByInput = builder.inputType('ExecutionByInput', {
  description: 'The address of an execution.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The execution's id." }),
    key: t.field({ type: ExecutionKeyInput, description: 'Its project, domain and name.' }),
  }),
});

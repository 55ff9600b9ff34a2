import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import { launchPlanTarget, workflowTarget } from '../../registry/domain/targets.ts';
import { LaunchPlanByInput } from '../../registry/graphql/entity-key.ts';
import { LaunchPlanType } from '../../registry/graphql/launch-plan.ts';
import { WorkflowType } from '../../registry/graphql/workflow.ts';
import type { VersionBy } from '../../registry/store.ts';
import { createExecution } from '../commands/create-execution.ts';
import { terminateExecution } from '../commands/terminate-execution.ts';
import { countExecutions, type ExecutionListFilter, executionOrder, listExecutions } from '../store/lists.ts';
import type { ExecutionBy, ExecutionRow, PhaseCountRow } from '../store/reads.ts';
import {
  NodeExecutionConnection,
  NodeExecutionPhaseEnum,
  NodeExecutionType,
  nodesOf,
} from './node-execution.ts';
import { DataType, durationOf, ExecutionErrorType, listed, shownError } from './values.ts';

export const ExecutionPhaseEnum = builder.enumType('ExecutionPhase', {
  values: [
    'QUEUED',
    'RUNNING',
    'SUCCEEDING',
    'SUCCEEDED',
    'FAILING',
    'FAILED',
    'ABORTING',
    'ABORTED',
    'TIMED_OUT',
  ] as const,
});

const ExecutionModeEnum = builder.enumType('ExecutionMode', {
  description: 'How it came to be.',
  values: ['MANUAL', 'SCHEDULED', 'SYSTEM', 'RELAUNCH', 'CHILD_WORKFLOW', 'RECOVERED', 'TRIGGER'] as const,
});

const ExecutionStateEnum = builder.enumType('ExecutionState', {
  description: 'Whether lists show it. Independent of its phase.',
  values: ['ACTIVE', 'ARCHIVED'] as const,
});

const NodePhaseCountType = builder.objectRef<PhaseCountRow>('NodePhaseCount').implement({
  fields: (t) => ({
    phase: t.field({
      type: NodeExecutionPhaseEnum,
      resolve: (row) => row.phase,
    }),
    count: t.exposeInt('count'),
  }),
});

const AbortType = builder.objectRef<ExecutionRow>('Abort').implement({
  description: 'Who asked for its end, and why.',
  fields: (t) => ({
    cause: t.string({ resolve: (execution) => execution.abortCause ?? '' }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      resolve: (execution, _args, { loaders }) =>
        execution.abortPrincipalId ? loaders.publicUser.load(execution.abortPrincipalId) : null,
    }),
  }),
});

export const ExecutionType = builder.objectRef<ExecutionRow>('Execution').implement({
  description: 'One run of a launch plan.',
  fields: (t) => ({
    id: t.exposeID('id'),
    project: t.field({
      type: ProjectType,
      nullable: true,
      resolve: guardedEdge(
        'project:read',
        (execution, { loaders }) => loaders.project.load({ id: execution.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.exposeString('project', {
      description: "The project's name, also for who may not read the project.",
    }),
    domain: t.exposeString('domain'),
    name: t.exposeString('name', {
      description: 'Unique in the project and domain.',
    }),
    phase: t.field({
      type: ExecutionPhaseEnum,
      resolve: (execution) => execution.phase,
    }),
    state: t.field({
      type: ExecutionStateEnum,
      resolve: (execution) => execution.state,
    }),
    mode: t.field({
      type: ExecutionModeEnum,
      resolve: (execution) => execution.mode,
    }),
    queue: t.exposeString('queue', { description: 'Where its jobs wait.' }),
    maxParallelism: t.exposeInt('maxParallelism', {
      description: 'Nodes side by side at most; 0 is no limit.',
    }),
    launchPlan: t.field({
      type: LaunchPlanType,
      nullable: true,
      resolve: guardedEdge(
        'launchPlan:read',
        (execution, { loaders }) => loaders.launchPlan.load({ id: execution.launchPlanId }),
        launchPlanTarget,
      ),
    }),
    workflow: t.field({
      type: WorkflowType,
      nullable: true,
      resolve: guardedEdge(
        'workflow:read',
        (execution, { loaders }) => loaders.workflow.load({ id: execution.workflowId }),
        workflowTarget,
      ),
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'Who asked for it, also after the user was deleted.',
      resolve: (execution, _args, { loaders }) => loaders.publicUser.load(execution.principalId),
    }),
    error: t.field({
      type: ExecutionErrorType,
      nullable: true,
      resolve: (execution) => shownError(execution, execution.errorNodeId),
    }),
    abort: t.field({
      type: AbortType,
      nullable: true,
      resolve: (execution) => (execution.abortPrincipalId === null ? null : execution),
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (execution) => execution.startedAt,
    }),
    endedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (execution) => execution.endedAt,
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'From start to end; null until it has ended.',
      resolve: durationOf,
    }),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (execution) => execution.createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      resolve: (execution) => execution.updatedAt,
    }),
    data: t.field({
      type: DataType,
      resolve: async (execution, _args, { loaders }) =>
        (await loaders.executionData.load(execution.id)) ?? {
          inputs: null,
          outputs: null,
        },
    }),
    nodeCounts: t.field({
      type: [NodePhaseCountType],
      extensions: { listSize: 10 },
      description: 'How many of its nodes are in each phase; phases without any are left out.',
      resolve: (execution, _args, { loaders }) => loaders.nodeCounts.load(execution.id),
    }),
    nodeExecutions: t.connection(
      {
        type: NodeExecutionType,
        description: 'Its nodes, those that began last first.',
        resolve: (execution, args, { loaders }) => nodesOf(execution.id, args, loaders),
      },
      NodeExecutionConnection,
    ),
  }),
});

const ExecutionKeyInput = builder.inputType('ExecutionKeyInput', {
  fields: (t) => ({
    project: t.string({
      required: true,
      description: "The project's identifier.",
    }),
    domain: t.string({ required: true }),
    name: t.string({ required: true }),
  }),
});

export const ExecutionByInput = builder.inputType('ExecutionBy', {
  description: 'Which execution.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), key: t.field({ type: ExecutionKeyInput }) }),
});

const ExecutionFilterInput = builder.inputType('ExecutionFilter', {
  description: 'Executions of one project and domain.',
  fields: (t) => ({
    project: t.string({ required: true }),
    domain: t.string({ required: true }),
    phases: t.field({
      type: [ExecutionPhaseEnum],
      description: 'Only these phases.',
    }),
    withArchived: t.boolean({ defaultValue: false }),
  }),
});

builder.queryFields((t) => ({
  execution: t.field({
    type: ExecutionType,
    nullable: true,
    description: 'One execution; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: ExecutionByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.execution.load(by as ExecutionBy),
  }),
  executions: t.connection(
    {
      type: ExecutionType,
      description: 'Executions of a project and domain, newest first.',
      args: { filter: t.arg({ type: ExecutionFilterInput, required: true }) },
      resolve: async (_root, { filter, ...args }, context) => {
        const project = await getProject(filter.project, context.loaders);
        const caller = callerOf(context);
        const shown: ExecutionListFilter = {
          projectId: project.id,
          domain: filter.domain,
          phases: filter.phases ?? null,
          withArchived: filter.withArchived ?? false,
        };
        const connection = await pagedList(args, executionOrder, async (page) =>
          (await listExecutions(caller, shown, page)).map(listed),
        );
        return { ...connection, count: () => countExecutions(caller, shown) };
      },
    },
    {
      name: 'ExecutionConnection',
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are in all; counted only when it is asked for.',
          resolve: (connection) => connection.count(),
        }),
      }),
    },
    { name: 'ExecutionEdge' },
  ),
  nodeExecutions: t.connection(
    {
      type: NodeExecutionType,
      description: 'The nodes of one execution, those that began last first.',
      args: { by: t.arg({ type: ExecutionByInput, required: true }) },
      resolve: async (_root, { by, ...args }, { loaders }) => {
        const execution = await loaders.execution.load(by as ExecutionBy);
        if (!execution) throw new NotFoundError('execution', addressText(by));
        return await nodesOf(execution.id, args, loaders);
      },
    },
    NodeExecutionConnection,
  ),
}));

const CreateExecutionInput = builder.inputType('CreateExecutionInput', {
  fields: (t) => ({
    project: t.string({
      required: true,
      description: "The project's identifier.",
    }),
    domain: t.string({ required: true }),
    name: t.string({
      description:
        'At most 63 lower-case letters, digits and hyphens, a letter first; made up when left out.',
    }),
    launchPlan: t.field({
      type: LaunchPlanByInput,
      required: true,
      description: 'Any version, active or not.',
    }),
    inputs: t.field({
      type: 'JSON',
      description: 'Plain values by name: `{rows: 100}`.',
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description: "Flyte's literals by name, beside or instead of `inputs`.",
    }),
    maxParallelism: t.int({
      description: 'Nodes side by side at most; 0 is no limit, 25 when left out.',
    }),
  }),
});

const executionPayload = (name: string) =>
  builder.objectRef<{ execution: ExecutionRow }>(name).implement({
    fields: (t) => ({
      execution: t.field({
        type: ExecutionType,
        resolve: (payload) => payload.execution,
      }),
    }),
  });
const CreateExecutionPayload = executionPayload('CreateExecutionPayload');
const TerminateExecutionPayload = executionPayload('TerminateExecutionPayload');

const TerminateExecutionInput = builder.inputType('TerminateExecutionInput', {
  fields: (t) => ({
    by: t.field({ type: ExecutionByInput, required: true }),
    cause: t.string({
      required: true,
      description: 'Why; at most 500 characters.',
    }),
  }),
});

builder.mutationFields((t) => ({
  createExecution: t.field({
    type: CreateExecutionPayload,
    nullable: true,
    description: 'Starts an execution of a launch plan. It is QUEUED, and taken up at once.',
    errors: {
      types: [InvalidArgumentError, NotFoundError, AlreadyExistsError],
    },
    args: { input: t.arg({ type: CreateExecutionInput, required: true }) },
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.project, context.loaders);
      const execution = await createExecution(callerOf(context), project, {
        domain: input.domain,
        name: input.name ?? null,
        launchPlan: input.launchPlan as VersionBy,
        inputs: input.inputs,
        inputLiterals: input.inputLiterals,
        maxParallelism: input.maxParallelism ?? null,
      });
      return { execution };
    },
  }),
  terminateExecution: t.field({
    type: TerminateExecutionPayload,
    nullable: true,
    description: 'Asks for the end of an execution: ABORTING at once, ABORTED when its work has stopped.',
    errors: {
      types: [InvalidArgumentError, NotFoundError, FailedPreconditionError],
    },
    args: { input: t.arg({ type: TerminateExecutionInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      execution: await terminateExecution(
        callerOf(context),
        input.by as ExecutionBy,
        input.cause,
        new Date(),
      ),
    }),
  }),
}));

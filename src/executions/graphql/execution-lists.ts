import { isAllowed } from '../../authorization/can.ts';
import { obstacleTo, type Permission } from '../../authorization/domain/permissions.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { selectionOf } from '../../graphql/execution/selection.ts';
import { filtersArgument } from '../../graphql/filters-argument.ts';
import { guardedEdge, guardedList } from '../../graphql/guarded-edge.ts';
import { addressOf } from '../../graphql/input.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { readsOf } from '../../graphql/reads.ts';
import type { UserBy } from '../../identity/domain/addresses.ts';
import { findAuthor } from '../../identity/find-user.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { parseFilters } from '../../platform/flyte-filters.ts';
import { NO_ID } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { launchPlanTarget, workflowTarget } from '../../registry/domain/targets.ts';
import { LaunchPlanByInput, WorkflowByInput } from '../../registry/graphql/entity-key.ts';
import { LaunchPlanType } from '../../registry/graphql/launch-plan.ts';
import { WorkflowType } from '../../registry/graphql/workflow.ts';
import type { VersionBy } from '../../registry/store.ts';
import { executionTarget } from '../domain/targets.ts';
import { executionColumns, nodeColumns } from '../store/columns.ts';
import { executionFilters, nodeExecutionFilters } from '../store/filter-columns.ts';
import {
  countExecutions,
  type ExecutionListFilter,
  type ExecutionOrder,
  executionOrder,
  listExecutions,
} from '../store/lists.ts';
import { countNodes, listNodes, nodeOrder } from '../store/part-lists.ts';
import type { ExecutionBy, NodeExecutionRow } from '../store/reads.ts';
import {
  ExecutionByInput,
  ExecutionConnection,
  ExecutionModeEnum,
  ExecutionPhaseEnum,
  ExecutionType,
  LaunchEntityEnum,
} from './execution.ts';
import { checkOrder, ExecutionOrderEnum } from './execution-order.ts';
import { NodeExecutionConnection, NodeExecutionType } from './node-execution.ts';
import { nodeFilterOf, nodeListArguments } from './node-lists.ts';
import { readableChild } from './readable-edges.ts';
import { listed } from './values.ts';

export const ExecutionFilterInput = builder.inputType('ExecutionFilterInput', {
  description: 'Which executions a list shows: the executions that meet all of these conditions.',
  fields: (t) => ({
    project: t.string({
      description: 'Only executions of the project with this identifier. If left out: of all projects.',
    }),
    domain: t.string({ description: 'Only executions in this domain.' }),
    workflow: t.field({
      type: WorkflowByInput,
      description:
        'Only executions of this version of a workflow. The list is empty if it does not exist or you may not see it.',
    }),
    launchPlan: t.field({
      type: LaunchPlanByInput,
      description:
        'Only executions of this version of a launch plan. The list is empty if it does not exist or you may not see it.',
    }),
    principal: t.field({
      type: UserByInput,
      description:
        'Only executions that this user created. An e-mail address finds other users only if you may list users.',
    }),
    launchEntity: t.field({
      type: LaunchEntityEnum,
      description: 'Only executions that were asked to run this: a launch plan, or a single task.',
    }),
    phases: t.field({ type: [ExecutionPhaseEnum], description: 'Only executions in one of these phases.' }),
    createdAfter: t.field({
      type: 'DateTime',
      description: 'Only executions that were created at this time or later.',
    }),
    createdBefore: t.field({
      type: 'DateTime',
      description: 'Only executions that were created before this time.',
    }),
    labels: t.field({
      type: [KeyValueInput],
      description: 'Only executions that have all of these labels, at most 16.',
    }),
    tags: t.stringList({ description: 'Only executions that have all of these tags, at most 100.' }),
    modes: t.field({
      type: [ExecutionModeEnum],
      description: 'Only executions that were started in one of these ways.',
    }),
    withArchived: t.boolean({ defaultValue: false, description: 'Show ARCHIVED executions as well.' }),
  }),
});

const listArguments = builder.args((t) => ({
  filter: t.field({ type: ExecutionFilterInput, description: 'Which executions to list. If left out: all.' }),
  orderBy: t.field({
    type: ExecutionOrderEnum,
    defaultValue: 'NEWEST',
    description:
      'How to sort the list. The orders by time of creation have an index. For every other order, the server reads all executions that meet the conditions, so `filter` must name a project and a domain; inside of a project, only a domain.',
  }),
}));

interface ListArguments {
  readonly filter?: typeof ExecutionFilterInput.$inferInput | null;
  readonly orderBy?: ExecutionOrder | null;
}

const readableWorkflow = guardedEdge(
  'workflow:read',
  (by: VersionBy, { loaders }) => loaders.workflow.load(by),
  workflowTarget,
);
const readableLaunchPlan = guardedEdge(
  'launchPlan:read',
  (by: VersionBy, { loaders }) => loaders.launchPlan.load(by),
  launchPlanTarget,
);

const MAX_LABELS = 16;
const MAX_TAGS = 100;

/** @throws InvalidArgumentError for a filter with more entries. */
function atMost<Value extends object>(
  value: Value | null | undefined,
  most: number,
  path: readonly string[],
): Value | null {
  if (value && Object.keys(value).length > most)
    throw InvalidArgumentError.of(path, `must have at most ${most} entries`, 'TooLarge');
  return value ?? null;
}

/** The id of an object in a filter. An absent or hidden object gets an id that no object has, so the list is empty. */
export async function filterOf(
  { filter, orderBy }: ListArguments,
  context: Context,
  path: readonly string[] = ['filter'],
): Promise<ExecutionListFilter> {
  const { project, workflow, launchPlan, principal } = filter ?? {};
  const idOf = async <By>(by: By | null | undefined, find: (by: By) => Promise<{ id: string } | null>) =>
    by == null ? null : ((await find(by))?.id ?? NO_ID);
  const [projectId, workflowId, launchPlanId, principalId] = await Promise.all([
    idOf(project, (identifier) => context.loaders.project.load({ identifier })),
    idOf(workflow as VersionBy, (by) => readableWorkflow(by, {}, context)),
    idOf(launchPlan as VersionBy, (by) => readableLaunchPlan(by, {}, context)),
    idOf(principal as UserBy, (by) => findAuthor(context, by)),
  ]);
  return {
    projectId,
    workflowId,
    launchPlanId,
    principalId,
    launchEntity: filter?.launchEntity ?? null,
    domain: filter?.domain ?? null,
    phases: filter?.phases ?? null,
    createdAfter: filter?.createdAfter ?? null,
    createdBefore: filter?.createdBefore ?? null,
    labels: atMost(filter?.labels && mapOf(filter.labels, [...path, 'labels']), MAX_LABELS, [
      ...path,
      'labels',
    ]),
    tags: atMost(filter?.tags, MAX_TAGS, [...path, 'tags']),
    modes: filter?.modes ?? null,
    withArchived: filter?.withArchived ?? false,
    orderBy: orderBy ?? 'NEWEST',
  };
}

/** The rows as lists show them, with long messages cut. */
const shortened = ({ page, count }: Loaders['executionsOfProject']): Loaders['executionsOfProject'] => ({
  page: async (...asked) => (await page(...asked)).map(listed),
  count,
});

/** The executions inside of a project, a version of a workflow or a version of a launch plan. */
const executionsIn = <Parent>(
  targetOf: (parent: Parent) => Target,
  list: 'executionsOfProject' | 'executionsOfWorkflow' | 'executionsOfLaunchPlan',
) =>
  guardedList(
    'execution:read',
    targetOf,
    ({ loaders }) => shortened(loaders[list]),
    executionOrder,
    async (args: ListArguments & PageArguments, context) =>
      checkOrder(await filterOf(args, context), list === 'executionsOfProject'),
    executionColumns,
  );

const hiddenByScopes = 'null if your scopes do not include `execution:read`.';

builder.objectField(ProjectType, 'executions', (t) =>
  t.connection(
    {
      type: ExecutionType,
      nullable: true,
      description: `The executions in the project that you may read; ${hiddenByScopes}`,
      args: listArguments,
      resolve: executionsIn(projectTarget, 'executionsOfProject'),
    },
    ExecutionConnection,
  ),
);

const ExecutionPhaseCountType = builder
  .objectRef<{ readonly phase: ExecutionPhase; readonly count: number }>('ExecutionPhaseCount')
  .implement({
    description: 'How many executions are in one phase.',
    fields: (t) => ({
      phase: t.expose('phase', { type: ExecutionPhaseEnum, description: 'The phase that they are in.' }),
      count: t.exposeInt('count', { description: 'How many executions are in this phase: at least 1.' }),
    }),
  });

builder.objectField(ProjectType, 'executionCounts', (t) =>
  t.field({
    type: [ExecutionPhaseCountType],
    nullable: true,
    extensions: { listSize: 9 },
    description: `How many of the executions in the project that you may read are in each phase. Phases without executions are left out; ${hiddenByScopes}`,
    args: {
      filter: t.arg({
        type: ExecutionFilterInput,
        description: 'Which executions to count. If left out: all that are not archived.',
      }),
    },
    resolve: async (project, args, context) => {
      const target = async () => projectTarget(project);
      if (!(await isAllowed(callerOf(context), 'execution:read', { target }))) return null;
      const page = await filterOf(args, context);
      return await context.loaders.phaseCountsOfProject.load({ parentId: project.id, page });
    },
  }),
);

builder.objectField(WorkflowType, 'executions', (t) =>
  t.connection(
    {
      type: ExecutionType,
      nullable: true,
      description: `The executions of this version that you may read, in all projects; ${hiddenByScopes}`,
      args: listArguments,
      resolve: executionsIn(workflowTarget, 'executionsOfWorkflow'),
    },
    ExecutionConnection,
  ),
);

builder.objectField(LaunchPlanType, 'executions', (t) =>
  t.connection(
    {
      type: ExecutionType,
      nullable: true,
      description: `The executions of this version that you may read, in all projects; ${hiddenByScopes}`,
      args: listArguments,
      resolve: executionsIn(launchPlanTarget, 'executionsOfLaunchPlan'),
    },
    ExecutionConnection,
  ),
);

builder.objectField(NodeExecutionType, 'execution', (t) =>
  t.field({
    type: ExecutionType,
    nullable: true,
    description: 'The execution of this node.',
    ...readsOf<NodeExecutionRow>()(['executionId'], ({ executionId }, _args, { loaders }) =>
      loaders.execution.load({ id: executionId }),
    ),
  }),
);

builder.objectFields(ExecutionType, (t) => ({
  referenceExecution: t.field({
    type: ExecutionType,
    nullable: true,
    description: 'The execution that this one repeats; null if it repeats none, or if it is hidden from you.',
    resolve: guardedEdge(
      'execution:read',
      ({ referenceId }, { loaders }) => (referenceId ? loaders.execution.load({ id: referenceId }) : null),
      executionTarget,
    ),
  }),
  sourceExecution: t.field({
    type: ExecutionType,
    nullable: true,
    description:
      'The execution from which this one comes: the one that it repeats, the one with the node that started it, or the one whose end has triggered it. Null if there is none, or if it is hidden from you.',
    resolve: guardedEdge(
      'execution:read',
      ({ sourceId }, { loaders }) => (sourceId ? loaders.execution.load({ id: sourceId }) : null),
      executionTarget,
    ),
  }),
  parentNodeExecution: t.field({
    type: NodeExecutionType,
    nullable: true,
    description:
      'The node of another execution that started this one; null if none did, or if it is hidden from you.',
    resolve: guardedEdge(
      'execution:read',
      async ({ parentNodeId }, { loaders }) => {
        const node = parentNodeId === null ? null : await loaders.nodeExecution.load(parentNodeId);
        const execution = node && (await loaders.execution.load({ id: node.executionId }));
        return node && execution && { ...node, execution };
      },
      ({ execution }) => executionTarget(execution),
    ),
  }),
}));

builder.objectField(NodeExecutionType, 'childExecution', (t) =>
  t.field({
    type: ExecutionType,
    nullable: true,
    description:
      'The execution that the node started; null if it started none, or if it is hidden from you. If an engine from outside has started several for the node: the one that its events name, or else the newest.',
    resolve: readableChild,
  }),
);

builder.queryFields((t) => ({
  execution: t.field({
    type: ExecutionType,
    nullable: true,
    description: 'One execution. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(ExecutionByInput, 'execution'),
    resolve: (_root, { by }, { loaders }) => loaders.execution.load(by as ExecutionBy),
  }),
  executions: t.connection(
    {
      type: ExecutionType,
      description: 'The executions that you may read, in one project or in the whole tenant.',
      args: { ...listArguments, ...filtersArgument(executionFilters) },
      resolve: async (_root, { filters, ...args }, context, info) => {
        const caller = callerOf(context);
        const mayRead = (permission: Permission) => obstacleTo(caller, permission) === null;
        const shown = {
          ...checkOrder(await filterOf(args, context)),
          filters: parseFilters(filters ?? ''),
          sees: {
            launch_plan: mayRead('launchPlan:read'),
            workflow: mayRead('workflow:read'),
            task: mayRead('task:read'),
          },
        };
        return await pagedList(
          args,
          executionOrder(shown),
          async (page) => (await listExecutions(caller, shown, page)).map(listed),
          () => countExecutions(caller, shown),
          { selected: selectionOf(info), columns: executionColumns },
        );
      },
    },
    ExecutionConnection,
  ),
  nodeExecutions: t.connection(
    {
      type: NodeExecutionType,
      description:
        'The nodes of one execution that are ready to run, run or have run: those of the outermost workflow, or those directly inside of `parent`.',
      args: {
        ...addressOf(ExecutionByInput, 'execution'),
        parent: t.arg.string({
          description:
            'The `nodeId` of a node of the execution: list the nodes directly inside of it. NOT_FOUND if there is none.',
        }),
        ...nodeListArguments,
        ...filtersArgument(nodeExecutionFilters),
      },
      resolve: async (_root, { by, parent, filter, orderBy, filters, ...args }, { loaders }, info) => {
        const execution = await loaders.execution.load(by as ExecutionBy);
        if (!execution) throw new NotFoundError('execution', addressText(by));
        const outer =
          parent == null
            ? null
            : await loaders.nodeExecutionByKey.load({ executionId: execution.id, nodeId: parent });
        if (parent != null && !outer) throw new NotFoundError('node execution', parent, ['parent']);
        const [inside, id] = outer ? (['node', outer.id] as const) : (['execution', execution.id] as const);
        const shown = { ...nodeFilterOf({ filter, orderBy }), filters: parseFilters(filters ?? '') };
        return await pagedList(
          args,
          nodeOrder(shown),
          async (page) => (await listNodes(inside, id, shown, page)).map(listed),
          () => countNodes(inside, id, shown),
          { selected: selectionOf(info), columns: nodeColumns },
        );
      },
    },
    NodeExecutionConnection,
  ),
}));

import { isAllowed } from '../../authorization/can.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { quantitiesOf, totalOf } from '../domain/executor-work.ts';
import {
  countExecutors,
  type Executor,
  type ExecutorBy,
  type ExecutorFilter,
  type ExecutorState,
  executorOrder,
  executorRunOrder,
  listExecutors,
  nodeOrder,
} from '../store/executors.ts';
import { ExecutorNodeType } from './executor-node.ts';
import { JobRunType } from './job.ts';

const ExecutorStateEnum = enumOf<ExecutorState>(
  'ExecutorState',
  'Whether an executor is in contact with the server.',
  {
    CONNECTED: 'It called recently, and gets new work unless it is cordoned.',
    SILENT:
      'It has not called for longer than EXECUTOR_SILENT_SECONDS or LEASE_SECONDS, whichever is shorter. It gets no new work until it calls again.',
    LOST: 'It has not called for longer than EXECUTOR_LOST_SECONDS. All its runs have expired.',
  },
);

/** What the runs of an executor hold together. One statement reads it for all executors of a list. */
const workOf = async ({ id }: Executor, { loaders }: Context) =>
  totalOf(await loaders.workOfExecutor.load({ parentId: id, page: null }));

export const ExecutorType = builder.objectRef<Executor>('Executor').implement({
  description:
    'A program that runs jobs. It exists since its first call, and reports its machines with each call.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the executor, unique in the tenant.' }),
    pool: t.exposeString('pool', { description: 'Its pool. It gets only jobs of this pool.' }),
    state: t.expose('state', {
      type: ExecutorStateEnum,
      description: 'Whether it is in contact with the server.',
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      description: 'When it called `leaseJobs` last.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it called first.' }),
    slots: t.exposeInt('slots', {
      description:
        'How many runs it can have at the same time: those that it named in its last call, and those that it asked for.',
    }),
    runCount: t.int({
      description: 'How many runs it has that have not ended.',
      resolve: async (executor, _args, context) => (await workOf(executor, context)).runs,
    }),
    unacknowledgedRuns: t.int({
      description: 'How many of these runs it has not named in a call yet.',
      resolve: async (executor, _args, context) => (await workOf(executor, context)).unacknowledged,
    }),
    held: t.field({
      type: 'JSON',
      description:
        'What its runs have requested, as an object with Kubernetes quantities by resource, for example `{"cpu": "1500m", "memory": "1073741824"}`.',
      resolve: async (executor, _args, context) => quantitiesOf((await workOf(executor, context)).held),
    }),
    nodeCount: t.exposeInt('nodeCount', { description: 'How many machines its last report has.' }),
    cordoned: t.exposeBoolean('cordoned', {
      description: 'Whether it is cordoned: it gets no new work, and its runs go on.',
    }),
    cordonReason: t.exposeString('cordonReason', {
      nullable: true,
      description: 'Why it is cordoned; null if it is not.',
    }),
    cordonedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who cordoned it; null if it is not cordoned.',
      resolve: ({ cordoned, setById }, _args, { loaders }) =>
        cordoned && setById ? loaders.publicUser.load(setById) : null,
    }),
    cordonedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was cordoned, or when the reason changed; null if it is not cordoned.',
      resolve: ({ cordoned, setAt }) => (cordoned ? setAt : null),
    }),
    owner: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The service account that calls as this executor; null if it is gone.',
      resolve: ({ userId }, _args, { loaders }) => loaders.publicUser.load(userId),
    }),
    nodes: t.connection(
      {
        type: ExecutorNodeType,
        description: 'The machines in its last report, by name, ascending.',
        args: {
          cordoned: t.arg.boolean({
            description: 'True: only machines that are cordoned. False: only those that are not.',
          }),
        },
        resolve: ({ id }, { cordoned = null, ...args }, { loaders }) =>
          pagedList(
            args,
            nodeOrder,
            (page) => loaders.nodesOfExecutor.page(id, { cordoned }, page),
            () => loaders.nodesOfExecutor.count(id, { cordoned }),
          ),
      },
      connectionType(ExecutorNodeType),
    ),
    runs: t.connection(
      {
        type: JobRunType,
        nullable: true,
        description:
          'Its runs that have not ended and that you may read, newest first; null if your scopes do not include `job:read`.',
        args: { node: t.arg.string({ description: 'Only the runs on the machine with this name.' }) },
        resolve: async (executor, args, context) => {
          const caller = callerOf(context);
          if (!(await isAllowed(caller, 'job:list'))) return null;
          const filter = { node: args.node ?? null };
          const { runsOfExecutor } = context.loaders;
          return await pagedList(
            args,
            executorRunOrder,
            (page) => runsOfExecutor.page(executor.id, filter, page),
            () => runsOfExecutor.count(executor.id, filter),
          );
        },
      },
      connectionType(JobRunType),
    ),
  }),
});

const ExecutorByInput = builder.inputType('ExecutorByInput', {
  description: 'The address of an executor.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The executor's id." }),
    name: t.string({ description: "The executor's name." }),
  }),
});

const ExecutorFilterInput = builder.inputType('ExecutorFilterInput', {
  description: 'Which executors a list shows: the executors that meet all of these conditions.',
  fields: (t) => ({
    pool: t.string({ description: 'Only executors of this pool.' }),
    states: t.field({ type: [ExecutorStateEnum], description: 'Only executors in one of these states.' }),
    cordoned: t.boolean({
      description: 'True: only executors that are cordoned. False: only those that are not.',
    }),
    namePrefix: t.string({ description: 'Only executors whose names begin with this text.' }),
  }),
});

const filterOf = (filter: typeof ExecutorFilterInput.$inferInput | null | undefined): ExecutorFilter => ({
  pool: filter?.pool ?? null,
  states: filter?.states ?? null,
  cordoned: filter?.cordoned ?? null,
  namePrefix: filter?.namePrefix ?? null,
});

builder.queryFields((t) => ({
  executor: t.field({
    type: ExecutorType,
    nullable: true,
    description:
      'One executor. Requires the role SUPERUSER or a higher one. Null and NOT_FOUND if it does not exist.',
    args: addressOf(ExecutorByInput, 'executor'),
    resolve: (_root, { by }, { loaders }) => loaders.executor.load(by as ExecutorBy),
  }),
  executors: t.connection(
    {
      type: ExecutorType,
      description:
        'The executors of your tenant, by name, ascending. Requires the role SUPERUSER or a higher one.',
      args: {
        filter: t.arg({ type: ExecutorFilterInput, description: 'Which executors. If left out: all.' }),
      },
      resolve: (_root, { filter, ...args }, context) => {
        const { tenantId } = callerOf(context);
        const conditions = filterOf(filter);
        return pagedList(
          args,
          executorOrder,
          (page) => listExecutors(tenantId, conditions, page),
          () => countExecutors(tenantId, conditions),
        );
      },
    },
    connectionType(ExecutorType),
  ),
}));

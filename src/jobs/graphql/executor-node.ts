import { isAllowed } from '../../authorization/can.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { quantitiesOf, remainderOf, totalOf } from '../domain/executor-work.ts';
import { allocatableOf } from '../domain/reported-nodes.ts';
import type { Taint } from '../domain/scheduling/matching.ts';
import type { ExecutorNode } from '../store/executors.ts';
import { TaintEffectEnum } from './executor-node-input.ts';
import { JobRunType } from './job.ts';

export const TaintType = builder.objectRef<Taint>('Taint').implement({
  description: 'Keeps jobs away from a node that do not tolerate it, as in Kubernetes.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key of the taint.' }),
    value: t.exposeString('value', { description: 'The value of the taint. It may be empty.' }),
    effect: t.expose('effect', {
      type: TaintEffectEnum,
      description: 'What happens to jobs that do not tolerate it.',
    }),
  }),
});

async function workOf({ executorId, name }: ExecutorNode, { loaders }: Context) {
  const works = await loaders.workOfExecutor.load({ parentId: executorId, page: null });
  return totalOf(works.filter(({ node }) => node === name));
}

export const ExecutorNodeType = builder.objectRef<ExecutorNode>('ExecutorNode').implement({
  description: 'A machine of an executor, as the last report of the executor describes it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the machine, unique in its executor.' }),
    executor: t.exposeString('executor', { description: 'The name of its executor.' }),
    pool: t.exposeString('pool', { description: 'The pool of its executor.' }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 10 },
      description: 'Its labels, at most 128. Jobs can ask for them with a node selector.',
      resolve: ({ labels }) => entriesOf(labels),
    }),
    taints: t.field({
      type: [TaintType],
      extensions: { listSize: 5 },
      description: 'Its taints, at most 32. Only jobs that tolerate them start there.',
      resolve: ({ taints }) => [...taints],
    }),
    unschedulable: t.exposeBoolean('unschedulable', {
      description: 'Whether its executor says that it takes no new runs.',
    }),
    allocatable: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What it has for runs, as an object with Kubernetes quantities by resource; null if its executor does not say.',
      resolve: ({ allocatable }) => allocatable,
    }),
    held: t.field({
      type: 'JSON',
      description:
        'What the runs on it have requested, as an object with Kubernetes quantities by resource. Runs that are being stopped are included.',
      resolve: async (node, _args, context) => quantitiesOf((await workOf(node, context)).held),
    }),
    available: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What is left of `allocatable`, as an object with Kubernetes quantities by resource; null if its executor does not say what it has.',
      resolve: async (node, _args, context) => {
        const all = allocatableOf(node);
        return all && quantitiesOf(remainderOf(all, (await workOf(node, context)).held));
      },
    }),
    runCount: t.int({
      description: 'How many runs it has that have not ended.',
      resolve: async (node, _args, context) => (await workOf(node, context)).runs,
    }),
    runs: t.field({
      type: [JobRunType],
      nullable: true,
      extensions: { listSize: 10 },
      description:
        'The runs on it that have not ended and that you may read, newest first, at most 100; null if your scopes do not include `job:read`.',
      resolve: async ({ executorId, name }, _args, context) =>
        (await isAllowed(callerOf(context), 'job:list'))
          ? await context.loaders.runsOfNode.load({ executorId, node: name })
          : null,
    }),
    cordoned: t.boolean({
      description: 'Whether it is cordoned: it gets no new work, and its runs go on.',
      resolve: ({ cordonedAt }) => cordonedAt !== null,
    }),
    cordonReason: t.exposeString('cordonReason', {
      nullable: true,
      description: 'Why it is cordoned; null if it is not.',
    }),
    cordonedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who cordoned it; null if it is not cordoned.',
      resolve: ({ cordonedById }, _args, { loaders }) =>
        cordonedById ? loaders.publicUser.load(cordonedById) : null,
    }),
    cordonedAt: t.expose('cordonedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was cordoned, or when the reason changed; null if it is not cordoned.',
    }),
  }),
});

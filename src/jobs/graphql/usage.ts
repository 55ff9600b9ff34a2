import { builder } from '../../graphql/builder.ts';
import { quantitiesOf } from '../domain/executor-work.ts';
import type { Resources } from '../domain/scheduling/resources.ts';
import type { NodeTypeUsage, PoolUsage, QueueUsage, StateCount } from '../domain/usage-report.ts';
import type { ExecutorUsage, StoredRunUsage } from '../store/usage.ts';
import { ExecutorType } from './executor.ts';
import { TaintType } from './executor-node.ts';
import { JobRunStateEnum, JobRunType } from './job.ts';
import { JobEventType } from './job-event.ts';
import { QueueType } from './queue.ts';

const asQuantities = 'as an object with Kubernetes quantities by resource';

const RunStateCountType = builder.objectRef<StateCount>('JobRunStateCount').implement({
  description: 'How many runs are in one state.',
  fields: (t) => ({
    state: t.expose('state', { type: JobRunStateEnum, description: 'The state that they are in.' }),
    count: t.exposeInt('count', { description: 'How many runs are in this state.' }),
  }),
});

/** What some runs use, and how many there are. */
interface RunsUsage {
  readonly resources: Resources;
  readonly resourcesUsed: Resources;
  readonly runsByState: readonly StateCount[];
}

const runsFields = <T extends RunsUsage>(
  t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, T>,
) => ({
  resources: t.field({
    type: 'JSON',
    description: `What they have requested, ${asQuantities}.`,
    resolve: ({ resources }) => quantitiesOf(resources),
  }),
  resourcesUsed: t.field({
    type: 'JSON',
    description: `What they really use, ${asQuantities}.`,
    resolve: ({ resourcesUsed }) => quantitiesOf(resourcesUsed),
  }),
  runsByState: t.field({
    type: [RunStateCountType],
    extensions: { listSize: 4 },
    description: 'How many runs are in each state.',
    resolve: ({ runsByState }) => [...runsByState],
  }),
});

const QueueUsageType = builder.objectRef<QueueUsage<Resources>>('NodeTypeQueueUsage').implement({
  description: 'What the runs of one queue use on machines of one type.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the queue, as the executor says.' }),
    ...runsFields(t),
  }),
});

const NodeTypeUsageType = builder.objectRef<NodeTypeUsage<Resources>>('NodeTypeUsage').implement({
  description: 'The use of the machines of one type.',
  fields: (t) => ({
    nodeType: t.exposeString('id', { description: 'The name of the type, as the executor calls it.' }),
    taints: t.field({
      type: [TaintType],
      extensions: { listSize: 5 },
      description: 'The taints of these machines.',
      resolve: ({ taints }) => [...taints],
    }),
    capacity: t.field({
      type: 'JSON',
      description: `What they have, ${asQuantities}.`,
      resolve: ({ capacity }) => quantitiesOf(capacity),
    }),
    availableCapacity: t.field({
      type: 'JSON',
      description: `What they have for runs, ${asQuantities}.`,
      resolve: ({ availableCapacity }) => quantitiesOf(availableCapacity),
    }),
    cordonedUsage: t.field({
      type: 'JSON',
      description: `What runs use on machines that take no new runs, ${asQuantities}.`,
      resolve: ({ cordonedUsage }) => quantitiesOf(cordonedUsage),
    }),
    totalNodes: t.exposeInt('totalNodes', { description: 'How many machines there are.' }),
    schedulableNodes: t.exposeInt('schedulableNodes', { description: 'How many of them take new runs.' }),
    queues: t.field({
      type: [QueueUsageType],
      extensions: { listSize: 10 },
      description: 'What each queue uses.',
      resolve: ({ queues }) => [...queues],
    }),
  }),
});

const ExecutorUsageType = builder.objectRef<ExecutorUsage>('ExecutorUsage').implement({
  description: 'What an executor says about the use of its machines.',
  fields: (t) => ({
    reportedAt: t.field({
      type: 'DateTime',
      description: 'When it was measured, by the clock of the executor.',
      resolve: ({ reportedAt }) => new Date(reportedAt),
    }),
    nodeTypes: t.field({
      type: [NodeTypeUsageType],
      extensions: { listSize: 5 },
      description: 'The use of machines of each type, at most 100.',
      resolve: ({ nodeTypes }) => [...nodeTypes],
    }),
  }),
});

builder.objectField(ExecutorType, 'usage', (t) =>
  t.field({
    type: ExecutorUsageType,
    nullable: true,
    description: 'The last report of what it really uses; null if it has sent none.',
    resolve: ({ id }, _args, { loaders }) => loaders.usageOfExecutor.load(id),
  }),
);

const PoolUsageType = builder.objectRef<PoolUsage>('QueuePoolUsage').implement({
  description: 'What the runs of a queue use in one pool, by the last reports of its executors.',
  fields: (t) => ({
    pool: t.exposeString('pool', { description: 'The name of the pool.' }),
    ...runsFields(t),
    reportedAt: t.expose('reportedAt', {
      type: 'DateTime',
      description: 'When the oldest of these reports came, by the clock of the server.',
    }),
  }),
});

builder.objectField(QueueType, 'usage', (t) =>
  t.field({
    type: [PoolUsageType],
    extensions: { listSize: 3 },
    description:
      'What the runs of the queue use in each pool, by name of the pool. Only reports of the last 15 minutes count, so a pool whose executors do not report is left out.',
    resolve: ({ name }, _args, { loaders }) => loaders.usageOfQueue.load(name),
  }),
);

const RunUsageType = builder.objectRef<StoredRunUsage>('JobRunUsage').implement({
  description: 'What a run used in one period, usually 5 minutes.',
  fields: (t) => ({
    maxResources: t.field({
      type: 'JSON',
      description: `The most that it used in the period, ${asQuantities}.`,
      resolve: ({ maxResources }) => quantitiesOf(maxResources),
    }),
    avgResources: t.field({
      type: 'JSON',
      description: `What it used on average in the period, ${asQuantities}.`,
      resolve: ({ avgResources }) => quantitiesOf(avgResources),
    }),
    reportedAt: t.expose('usageAt', {
      type: 'DateTime',
      description: 'When the report came, by the clock of the server.',
    }),
    cumulativeUsage: t.field({
      type: 'JSON',
      description: `What it has used since it began, ${asQuantities} times seconds: \`{"cpu": "90000m"}\` means 90 seconds of one CPU.`,
      resolve: ({ cumulativeUsage }) => quantitiesOf(cumulativeUsage),
    }),
  }),
});

builder.objectField(JobRunType, 'usage', (t) =>
  t.field({
    type: RunUsageType,
    nullable: true,
    description:
      'What it used in the last period that its executor has reported; null if it has reported none.',
    resolve: ({ id }, _args, { loaders }) => loaders.usageOfRun.load(id),
  }),
);

builder.objectField(JobEventType, 'usage', (t) =>
  t.field({
    type: RunUsageType,
    nullable: true,
    description: 'UTILISATION: what the run used in the last period; otherwise null.',
    resolve: ({ detail, createdAt }) => (detail.usage ? { ...detail.usage, usageAt: createdAt } : null),
  }),
);

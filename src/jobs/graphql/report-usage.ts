import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { reportUsage } from '../commands/report-usage.ts';
import { TaintInput, taintOf } from './executor-node-input.ts';
import { JobRunStateEnum } from './job.ts';

const quantities = 'as an object with Kubernetes quantities by resource, for example `{"cpu": "1500m"}`';

const StateCountInput = builder.inputType('JobRunStateCountInput', {
  description: 'How many runs are in one state.',
  fields: (t) => ({
    state: t.field({ type: JobRunStateEnum, required: true, description: 'The state that they are in.' }),
    count: t.int({ required: true, description: 'How many runs are in this state.' }),
  }),
});

const QueueUsageInput = builder.inputType('NodeTypeQueueUsageInput', {
  description: 'What the runs of one queue use on machines of one type.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name of the queue.' }),
    resources: t.field({
      type: 'JSON',
      required: true,
      description: `What they have requested, ${quantities}.`,
    }),
    resourcesUsed: t.field({
      type: 'JSON',
      description: `What they really use, ${quantities}.`,
    }),
    runsByState: t.field({
      type: [StateCountInput],
      defaultValue: [],
      description: 'How many runs are in each state.',
    }),
  }),
});

const NodeTypeUsageInput = builder.inputType('NodeTypeUsageInput', {
  description: 'The use of the machines of one type.',
  fields: (t) => ({
    nodeType: t.string({ required: true, description: 'The name of the type, chosen by the executor.' }),
    taints: t.field({ type: [TaintInput], defaultValue: [], description: 'The taints of these machines.' }),
    capacity: t.field({ type: 'JSON', required: true, description: `What they have, ${quantities}.` }),
    availableCapacity: t.field({
      type: 'JSON',
      required: true,
      description: `What they have for runs, ${quantities}.`,
    }),
    cordonedUsage: t.field({
      type: 'JSON',
      description: `What runs use on machines that take no new runs, ${quantities}.`,
    }),
    totalNodes: t.int({ required: true, description: 'How many machines there are.' }),
    schedulableNodes: t.int({ required: true, description: 'How many of them take new runs.' }),
    queues: t.field({
      type: [QueueUsageInput],
      defaultValue: [],
      description: 'What each queue uses: at most 1000 queues in all types together.',
    }),
  }),
});

const RunUsageInput = builder.inputType('JobRunUsageInput', {
  description: 'What a run used since the last report.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    maxResources: t.field({
      type: 'JSON',
      required: true,
      description: `The most that it used, ${quantities}.`,
    }),
    avgResources: t.field({
      type: 'JSON',
      description: `What it used on average, ${quantities}.`,
    }),
    cumulativeUsage: t.field({
      type: 'JSON',
      description: `What it has used since it began, times seconds, ${quantities}.`,
    }),
  }),
});

const ReportUsageInput = builder.inputType('ReportUsageInput', {
  description: 'What an executor really uses.',
  fields: (t) => ({
    executor: t.string({
      required: true,
      description: 'The name of the executor. It must have called before.',
    }),
    instance: t.id({ description: 'The UUIDv7 that the process sends in all its calls of `leaseJobs`.' }),
    reportedAt: t.field({
      type: 'DateTime',
      required: true,
      description: 'When this was measured, by the clock of the executor.',
    }),
    nodeTypes: t.field({
      type: [NodeTypeUsageInput],
      defaultValue: [],
      description: 'The use of machines of each type, at most 100. It replaces the last report.',
    }),
    runs: t.field({
      type: [RunUsageInput],
      defaultValue: [],
      description: 'The use of single runs, at most 2500.',
    }),
  }),
});

const ReportUsagePayload = builder.objectRef<{ readonly runs: number }>('ReportUsagePayload').implement({
  description: 'What `reportUsage` answers when it succeeds.',
  fields: (t) => ({
    storedRuns: t.exposeInt('runs', {
      description:
        'For how many runs the server stored the usage. It leaves out runs that have ended or belong to others, and those that were reported within the last minute.',
    }),
  }),
});

builder.mutationField('reportUsage', (t) =>
  t.field({
    type: ReportUsagePayload,
    nullable: true,
    description:
      'Reports what an executor really uses. Requires the scope `executor`. Executors do this every 5 minutes; the server keeps only the last report, and writes an event UTILISATION for each run. It is for people: scheduling counts what jobs request. It is safe to repeat the call.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(ReportUsageInput),
    resolve: async (_root, { input }, context) => ({
      runs: await reportUsage(callerOf(context), {
        ...{ executor: input.executor, instance: input.instance ?? null, reportedAt: input.reportedAt },
        nodeTypes: (input.nodeTypes ?? []).map(({ nodeType, ...type }) => ({
          ...{ ...type, id: nodeType, cordonedUsage: type.cordonedUsage ?? {} },
          taints: (type.taints ?? []).map(taintOf),
          queues: (type.queues ?? []).map((queue) => ({
            ...queue,
            resourcesUsed: queue.resourcesUsed ?? {},
            runsByState: (queue.runsByState ?? []).map(({ state, count }) => ({ state, count })),
          })),
        })),
        runs: (input.runs ?? []).map(({ run, ...usage }) => ({
          ...{ runId: run, maxResources: usage.maxResources },
          ...{ avgResources: usage.avgResources ?? {}, cumulativeUsage: usage.cumulativeUsage ?? {} },
        })),
      }),
    }),
  }),
);

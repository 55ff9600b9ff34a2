import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { type WorkError, workErrorOf } from '../../platform/work-error.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import type { Toleration } from '../domain/scheduling/matching.ts';
import type { ResourceAmount } from '../domain/submitting/given-job.ts';
import type { GangRow, JobDetails } from '../store/job-details.ts';
import type { JobRow } from '../store/reads.ts';
import { TaintEffectEnum } from './executor-node-input.ts';
import { JobRunType, JobType } from './job.ts';
import { OnPreemptionEnum, TolerationOperatorEnum } from './job-request-input.ts';

const JobResourceType = builder.objectRef<ResourceAmount>('JobResource').implement({
  description: 'An amount of one resource.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the resource, such as `cpu`.' }),
    value: t.exposeString('value', { description: 'A Kubernetes quantity, such as `500m`.' }),
  }),
});

type Container = JobSpec['container'];

const JobResourcesType = builder.objectRef<Container['resources']>('JobResources').implement({
  description: 'The resources of the program of a job.',
  fields: (t) => ({
    requests: t.field({
      type: [JobResourceType],
      extensions: { listSize: 5 },
      description: 'What a node must have free to start the job, sorted by name.',
      resolve: ({ requests }) => [...requests],
    }),
    limits: t.field({
      type: [JobResourceType],
      extensions: { listSize: 5 },
      description: 'The most that the job may use, sorted by name.',
      resolve: ({ limits }) => [...limits],
    }),
  }),
});

const JobContainerType = builder.objectRef<Container>('JobContainer').implement({
  description: 'The program of a job.',
  fields: (t) => ({
    image: t.exposeString('image', { description: 'The image of the container.' }),
    command: t.stringList({
      description: 'The program, with the arguments that come before `args`.',
      resolve: ({ command }) => [...command],
    }),
    args: t.stringList({ description: 'The arguments of the program.', resolve: ({ args }) => [...args] }),
    env: t.field({
      type: [KeyValueType],
      extensions: { listSize: 10 },
      description: 'The environment variables that the submitter has set.',
      resolve: ({ env }) => [...env],
    }),
    resources: t.expose('resources', {
      type: JobResourcesType,
      description: 'The resources of the program, with the defaults that the server has added.',
    }),
  }),
});

const TolerationType = builder.objectRef<Toleration>('Toleration').implement({
  description: 'The taints of nodes that a job tolerates, as in Kubernetes.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The key of the taint; empty for all taints.' }),
    operator: t.expose('operator', {
      type: TolerationOperatorEnum,
      description: 'How the value is compared.',
    }),
    value: t.exposeString('value', { description: 'The value of the taint; empty with Exists.' }),
    effect: t.expose('effect', {
      type: TaintEffectEnum,
      nullable: true,
      description: 'Only taints with this effect are tolerated; null for any effect.',
    }),
  }),
});

const JobGangType = builder.objectRef<GangRow>('JobGang').implement({
  description: 'A group of jobs that all start together or not at all.',
  fields: (t) => ({
    gangId: t.exposeString('name', { description: 'The name of the group, unique in its queue.' }),
    cardinality: t.exposeInt('cardinality', {
      description: 'How many jobs the group has when it is complete.',
    }),
    nodeUniformityLabel: t.exposeString('uniformityLabel', {
      nullable: true,
      description: 'All jobs run on nodes with the same value of this label; null if they may run anywhere.',
    }),
    submittedJobs: t.exposeInt('size', { description: 'How many of its jobs were submitted so far.' }),
  }),
});

/** The large columns of a job. One statement reads them for all jobs of a list. */
async function detailsOf({ id }: JobRow, { loaders }: Context): Promise<JobDetails> {
  const details = await loaders.jobDetails.load(id);
  if (!details) throw new Error(`the job ${id} was deleted`);
  return details;
}

/** The error of the job itself, or else of its latest run. Source: Armada's GetJobErrors. */
async function errorOf(job: JobRow, { loaders }: Context): Promise<WorkError | null> {
  if (job.errorCode !== null) return { code: job.errorCode, message: job.errorMessage ?? '', kind: 'SYSTEM' };
  const run = await loaders.latestRunOfJob.load(job.id);
  return run && workErrorOf(run);
}

builder.objectFields(JobType, (t) => ({
  priorityClass: t.exposeString('priorityClass', { description: 'The class of the job.' }),
  isPreemptible: t.exposeBoolean('isPreemptible', {
    description: 'Whether its class lets other jobs take its place.',
  }),
  onPreemption: t.expose('onPreemption', {
    type: OnPreemptionEnum,
    description: 'What becomes of it when it must make room for others.',
  }),
  pool: t.exposeString('pool', { description: 'The executors that may run it.' }),
  namespace: t.exposeString('namespace', {
    description: 'The namespace for executors that have namespaces.',
  }),
  failFast: t.exposeBoolean('failFast', { description: 'Whether it fails when its first lease is lost.' }),
  externalUri: t.exposeString('externalUri', {
    nullable: true,
    description: 'The reference of its submitter; null if there is none.',
  }),
  activeDeadline: t.field({
    type: 'Duration',
    nullable: true,
    description: 'How long one run may take; null means no limit.',
    resolve: ({ activeDeadlineSeconds: seconds }) => (seconds === null ? null : seconds * 1000),
  }),
  terminationGrace: t.field({
    type: 'Duration',
    description: 'The time between asking the program to end and killing it.',
    resolve: async (job, _args, context) =>
      (await detailsOf(job, context)).spec.terminationGraceSeconds * 1000,
  }),
  container: t.field({
    type: JobContainerType,
    description: 'The program that it runs.',
    resolve: async (job, _args, context) => (await detailsOf(job, context)).spec.container,
  }),
  environment: t.field({
    type: [KeyValueType],
    extensions: { listSize: 10 },
    description: 'The environment variables that the server adds: they tell the program its job.',
    resolve: async (job, _args, context) => entriesOf((await detailsOf(job, context)).spec.environment),
  }),
  interface: t.field({
    type: 'JSON',
    description:
      "The declared inputs and outputs: `{inputs: {name: {type}}, outputs: {name: {type}}}`, with types as Flyte's LiteralType.",
    resolve: async (job, _args, context) => (await detailsOf(job, context)).spec.interface,
  }),
  inputs: t.field({
    type: 'JSON',
    description: 'The inputs as plain values, as an object with the name of each input.',
    resolve: async (job, _args, context) => (await detailsOf(job, context)).spec.inputs,
  }),
  labels: t.field({
    type: [KeyValueType],
    extensions: { listSize: 5 },
    description: 'The labels of the job, at most 16.',
    resolve: async (job, _args, context) => entriesOf((await detailsOf(job, context)).labels),
  }),
  annotations: t.field({
    type: [KeyValueType],
    extensions: { listSize: 5 },
    description: 'The annotations of the job.',
    resolve: async (job, _args, context) => entriesOf((await detailsOf(job, context)).annotations),
  }),
  nodeSelector: t.field({
    type: [KeyValueType],
    extensions: { listSize: 5 },
    description: 'The labels that its node must have.',
    resolve: async (job, _args, context) => entriesOf((await detailsOf(job, context)).nodeSelector),
  }),
  tolerations: t.field({
    type: [TolerationType],
    extensions: { listSize: 5 },
    description: 'The taints of nodes that it tolerates.',
    resolve: async (job, _args, context) => [...(await detailsOf(job, context)).tolerations],
  }),
  gang: t.field({
    type: JobGangType,
    nullable: true,
    description: 'The group of jobs that it starts together with; null if it is on its own.',
    resolve: ({ gangId }, _args, { loaders }) => (gangId ? loaders.gang.load(gangId) : null),
  }),
  owner: t.field({
    type: PrincipalType,
    nullable: true,
    description: 'The user who submitted it, or started its execution; null if the user is gone.',
    resolve: ({ ownerId }, _args, { loaders }) => loaders.publicUser.load(ownerId),
  }),
  cancelReason: t.exposeString('cancelReason', {
    nullable: true,
    description: 'Why it was cancelled; null if it was not, or if nobody said why.',
  }),
  cancelledAt: t.expose('cancelledAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When it was cancelled; null if it was not. Its work may have stopped later.',
  }),
  cancelledBy: t.field({
    type: PrincipalType,
    nullable: true,
    description: 'The user who cancelled it; null if it was not cancelled.',
    resolve: ({ cancelledById }, _args, { loaders }) =>
      cancelledById ? loaders.publicUser.load(cancelledById) : null,
  }),
  preemptReason: t.exposeString('preemptReason', {
    nullable: true,
    description: 'Why it had to make room for others the last time; null if it never had to.',
  }),
  preemptedBy: t.field({
    type: PrincipalType,
    nullable: true,
    description: 'The user who asked for it; null if the scheduler decided it, or if it never had to.',
    resolve: ({ preemptedById }, _args, { loaders }) =>
      preemptedById ? loaders.publicUser.load(preemptedById) : null,
  }),
  error: t.field({
    type: WorkErrorType,
    nullable: true,
    description: 'Why the job failed, or else the error of its latest run; null if there is none.',
    resolve: (job, _args, context) => errorOf(job, context),
  }),
  latestRun: t.field({
    type: JobRunType,
    nullable: true,
    description: 'The newest lease of the job; null if it had none.',
    resolve: ({ id }, _args, { loaders }) => loaders.latestRunOfJob.load(id),
  }),
  lastTransitionAt: t.expose('updatedAt', {
    type: 'DateTime',
    description: 'When its state changed last.',
  }),
}));

builder.objectFields(JobRunType, (t) => ({
  jobId: t.exposeID('jobId', { description: 'The id of its job.' }),
  node: t.exposeString('node', {
    nullable: true,
    description: 'The name of the node on which it runs; null if the executor reports no nodes.',
  }),
  pendingAt: t.expose('pendingAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When the executor reported that the run waits for its start; null if it did not.',
  }),
}));

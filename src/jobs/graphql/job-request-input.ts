import type { OnPreemption } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { KeyValueInput } from '../../graphql/key-values.ts';
import type { Toleration } from '../domain/scheduling/matching.ts';
import { TaintEffectEnum } from './executor-node-input.ts';

export const OnPreemptionEnum = enumOf<OnPreemption>(
  'OnPreemption',
  'What becomes of a job that must make room for others.',
  {
    FAIL: 'It ends as PREEMPTED.',
    REQUEUE: 'It waits again, and this does not count as an attempt.',
  },
);

export const TolerationOperatorEnum = enumOf<Toleration['operator']>(
  'TolerationOperator',
  'How a toleration compares the value of a taint. Source: Kubernetes.',
  {
    Exists: 'Every value is tolerated.',
    Equal: 'Only the value of the toleration is tolerated.',
  },
);

const TolerationInput = builder.inputType('TolerationInput', {
  description: 'The taints of nodes that a job tolerates, as in Kubernetes.',
  fields: (t) => ({
    key: t.string({
      description: 'The key of the taint. Empty, with the operator Exists: all taints are tolerated.',
    }),
    operator: t.field({
      type: TolerationOperatorEnum,
      defaultValue: 'Equal',
      description: 'How the value is compared.',
    }),
    value: t.string({ description: 'The value of the taint. It must be empty with the operator Exists.' }),
    effect: t.field({
      type: TaintEffectEnum,
      description: 'Only taints with this effect are tolerated. If left out: with any effect.',
    }),
  }),
});

const JobResourceInput = builder.inputType('JobResourceInput', {
  description: 'An amount of one resource.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description:
        'The name of the resource as nodes have it: `cpu`, `memory`, `ephemeral-storage`, or a name with a domain such as `nvidia.com/gpu`. The names of tasks, such as `CPU`, `GPU` and `gpu`, mean the same.',
    }),
    value: t.string({ required: true, description: 'A Kubernetes quantity, such as `500m`, `2` or `1Gi`.' }),
  }),
});

const JobResourcesInput = builder.inputType('JobResourcesInput', {
  description:
    'The resources of a job, at most 16. If only requests or only limits are given, they count as both. Otherwise both must name the same resources, and a limit must be its request unless the operator allows more. Resources that neither names get the defaults of the server.',
  fields: (t) => ({
    requests: t.field({
      type: [JobResourceInput],
      defaultValue: [],
      description: 'What a node must have free to start the job.',
    }),
    limits: t.field({
      type: [JobResourceInput],
      defaultValue: [],
      description: 'The most that the job may use.',
    }),
  }),
});

const JobContainerInput = builder.inputType('JobContainerInput', {
  description: 'The program of a job. All of it has at most 65,535 bytes as JSON.',
  fields: (t) => ({
    image: t.string({
      required: true,
      description: 'The image of the container. The process runtime ignores it.',
    }),
    command: t.stringList({
      defaultValue: [],
      description:
        'The program, with the arguments that come before `args`. If empty: the entry point of the image.',
    }),
    args: t.stringList({ defaultValue: [], description: 'The arguments of the program.' }),
    env: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description:
        'Environment variables of the program. The server adds `SLIPWAY_JOB_ID`, `SLIPWAY_QUEUE`, `SLIPWAY_JOB_SET` and, for a gang, `SLIPWAY_GANG_ID`, `SLIPWAY_GANG_CARDINALITY`, `SLIPWAY_GANG_NODE_UNIFORMITY_LABEL_NAME` and `SLIPWAY_GANG_NODE_UNIFORMITY_LABEL_VALUE`. Names that begin with `SLIPWAY_` are refused. The same values have the names of Armada, such as `ARMADA_JOB_ID` and `ARMADA_JOB_SET_ID`, except where you set these yourself.',
    }),
    resources: t.field({
      type: JobResourcesInput,
      description: 'The resources of the program. If left out: the defaults of the server.',
    }),
  }),
});

const GangInput = builder.inputType('GangInput', {
  description:
    'A group of jobs that all start together or not at all. All its jobs must agree on the number of jobs, the label, the priority class and the pool. They can come in several requests. If a job of the gang ends before the gang starts, the others are REJECTED, and the gang takes no more jobs.',
  fields: (t) => ({
    id: t.string({
      required: true,
      description: 'The name of the group, unique in its queue, at most 253 characters.',
    }),
    cardinality: t.int({
      required: true,
      description:
        'How many jobs the group has, 1 to 1000. No job starts before all are submitted. A group of one is an ordinary job.',
    }),
    nodeUniformityLabel: t.string({
      description: 'All jobs must run on nodes with the same value of this label.',
    }),
  }),
});

export const JobRequestInput = builder.inputType('JobRequestInput', {
  description: 'One job to submit.',
  fields: (t) => ({
    clientId: t.string({
      description:
        'An id that you choose, at most 100 characters. If the queue has a job with this id, no second job is created, and the answer names the first one. Without it, there is always a new job.',
    }),
    priority: t.float({
      defaultValue: 0,
      description:
        'The order of jobs in their queue: lower numbers start first. Negative numbers count as 0, halves are rounded up, and the largest number is 4294967295.',
    }),
    priorityClass: t.string({
      description:
        'The class of the job. Jobs of a class with a higher priority start first, whatever the shares of their queues are. If left out: the first class of the server.',
    }),
    pool: t.string({ description: 'The executors that may run it. If left out: the pool `default`.' }),
    namespace: t.string({
      description:
        'The namespace for executors that have namespaces, a DNS-1123 label. If left out: `default`.',
    }),
    labels: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description:
        'Labels that follow the rules of Kubernetes, at most 16. In values, `{JobId}` becomes the id of the job, and `{{JobId}}` the word `JobId`.',
    }),
    annotations: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description:
        "Further texts, at most 64. `{JobId}` is replaced as in labels. Armada's annotations of gangs count: `armadaproject.io/gangId`, `armadaproject.io/gangCardinality`, `armadaproject.io/gangNodeUniformityLabel` and `armadaproject.io/failFast`.",
    }),
    container: t.field({ type: JobContainerInput, required: true, description: 'The program to run.' }),
    interface: t.field({
      type: 'JSON',
      description:
        "The inputs and outputs of the program, for programs that have any: `{inputs: {name: {type}}, outputs: {name: {type}}}`, with types as Flyte's LiteralType.",
    }),
    inputs: t.field({
      type: 'JSON',
      description: 'A plain value for each input of the interface, as an object with the name of each input.',
    }),
    nodeSelector: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'The labels that its node must have, at most 16.',
    }),
    tolerations: t.field({
      type: [TolerationInput],
      defaultValue: [],
      description: 'The taints of nodes that it tolerates, at most 16.',
    }),
    gang: t.field({ type: GangInput, description: 'The group of jobs that it starts together with.' }),
    failFast: t.boolean({
      description:
        'Whether it fails when its first lease is lost. If left out: true for the jobs of a gang, which cannot have false, and otherwise false.',
    }),
    onPreemption: t.field({
      type: OnPreemptionEnum,
      defaultValue: 'FAIL',
      description: 'What becomes of it when it must make room for others.',
    }),
    activeDeadline: t.field({
      type: 'Duration',
      description:
        'How long one run may take, rounded up to seconds. If left out: a default of the server, which can depend on the requested resources.',
    }),
    terminationGrace: t.field({
      type: 'Duration',
      description:
        'The time between asking the program to end and killing it: 1 second to 5 minutes, rounded up to seconds. If left out or zero: 1 second.',
    }),
    externalUri: t.string({
      description: 'A reference of your own, at most 1024 characters. The list of jobs can filter by it.',
    }),
    maxAttempts: t.int({
      description: 'How many leases can be lost or returned before the job fails, 1 to 100. If left out: 3.',
    }),
  }),
});

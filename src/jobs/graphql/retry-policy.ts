import type { ErrorKind, RetryAction } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { ErrorKindEnum } from '../../graphql/error-kind.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { payload } from '../../graphql/payload.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { createRetryPolicy } from '../commands/create-retry-policy.ts';
import { deleteRetryPolicy } from '../commands/delete-retry-policy.ts';
import { updateRetryPolicy } from '../commands/update-retry-policy.ts';
import type { MemoryChange, Mutation, RetryPolicyRequest, RetryRule } from '../domain/retry-policies.ts';
import {
  countRetryPolicies,
  listRetryPolicies,
  type RetryPolicyBy,
  retryPolicyOrder,
} from '../store/retry-policies.ts';

const RetryActionEnum = enumOf<RetryAction>('RetryAction', 'What happens to a job that has failed.', {
  FAIL: 'The job ends as FAILED.',
  RETRY: 'The job waits again, unless it has used up its retries.',
});

const texts = {
  name: 'The name, unique in the tenant: a DNS-1123 label of at most 63 characters.',
  limit: 'How often a job may run again: 3 means four attempts, and 0 means one. At most 1000.',
  defaultAction: 'What happens if no rule matches the failure.',
  action: 'What happens if the rule matches.',
  category: 'The category of the failures that match: the `kind` of their error.',
  subcategory:
    'The subcategory of the failures that match: the `code` of their error, such as `CommandNotFound`. If it is left out, every failure of the category matches.',
  mutate: 'What is different in the next attempt. It counts only if the action is RETRY.',
  affinity: 'Where the next attempt runs.',
  avoid: 'Whether the next attempts go to other nodes than the one that failed, as long as there are others.',
  resources: 'What the next attempts request.',
  memory: 'How the memory changes.',
  fixed: 'The amount of memory, such as `8Gi`.',
  factor: 'By how much the memory is multiplied: larger than 1, and at most 100.',
} as const;

const MemoryType = builder.objectRef<MemoryChange>('RetryMemory').implement({
  description: 'How the memory of a job changes. Exactly one of the fields is set.',
  fields: (t) => ({
    static: t.string({
      nullable: true,
      description: texts.fixed,
      resolve: (change) => ('static' in change ? change.static : null),
    }),
    factor: t.float({
      nullable: true,
      description: texts.factor,
      resolve: (change) => ('factor' in change ? change.factor : null),
    }),
  }),
});

const AffinityType = builder.objectRef<Mutation>('RetryAffinity').implement({
  description: 'Where the next attempt of a job runs.',
  fields: (t) => ({ avoidSameNode: t.exposeBoolean('avoidSameNode', { description: texts.avoid }) }),
});

const ResourcesType = builder.objectRef<Mutation>('RetryResources').implement({
  description: 'What the next attempts of a job request.',
  fields: (t) => ({
    memory: t.field({
      type: MemoryType,
      nullable: true,
      description: `${texts.memory} Null if it does not.`,
      resolve: ({ memory }) => memory,
    }),
  }),
});

const MutationType = builder.objectRef<Mutation>('RetryMutation').implement({
  description: 'What is different in the next attempt of a job.',
  fields: (t) => ({
    affinity: t.field({ type: AffinityType, description: texts.affinity, resolve: (mutate) => mutate }),
    resources: t.field({ type: ResourcesType, description: texts.resources, resolve: (mutate) => mutate }),
  }),
});

const RuleType = builder.objectRef<RetryRule>('RetryRule').implement({
  description: 'A rule of a retry policy. The first rule that matches a failure decides.',
  fields: (t) => ({
    action: t.expose('action', { type: RetryActionEnum, description: texts.action }),
    onCategory: t.expose('onCategory', { type: ErrorKindEnum, description: texts.category }),
    onSubcategory: t.exposeString('onSubcategory', {
      nullable: true,
      description: 'The `code` of the error of the failures that match; null for every code.',
    }),
    mutate: t.expose('mutate', {
      type: MutationType,
      nullable: true,
      description: `${texts.mutate} Null for nothing.`,
    }),
  }),
});

export const RetryPolicyType = builder.prismaObject('RetryPolicy', {
  description:
    'Says which failed jobs of a queue run again. It does not count for jobs of executions, whose tasks have retries of their own, for jobs of gangs, and for jobs that fail fast. A lease that was returned and a preemption use up no retry; a lease that expired does.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    name: t.exposeString('name', { description: texts.name }),
    retryLimit: t.exposeInt('retryLimit', { description: texts.limit }),
    defaultAction: t.expose('defaultAction', { type: RetryActionEnum, description: texts.defaultAction }),
    rules: t.field({
      type: [RuleType],
      extensions: { listSize: 10 },
      description: 'The rules, at most 100, in the order in which they are tried.',
      resolve: ({ rules }) => rules as unknown as RetryRule[],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the policy was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the policy was last changed.' }),
  }),
});

const RetryPolicyByInput = builder.inputType('RetryPolicyByInput', {
  description: 'The address of a retry policy.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The policy's id." }),
    name: t.string({ description: "The policy's name." }),
  }),
});

builder.queryFields((t) => ({
  retryPolicy: t.field({
    type: RetryPolicyType,
    nullable: true,
    description:
      'One retry policy. Requires the role SUPERUSER or a higher one. Null and NOT_FOUND if it does not exist.',
    args: addressOf(RetryPolicyByInput, 'retry policy'),
    resolve: (_root, { by }, { loaders }) => loaders.retryPolicy.load(by as RetryPolicyBy),
  }),
  retryPolicies: t.connection(
    {
      type: RetryPolicyType,
      description:
        'The retry policies of your tenant, by name, ascending. Requires the role SUPERUSER or a higher one.',
      resolve: (_root, args, context) => {
        const { tenantId } = callerOf(context);
        return pagedList(
          args,
          retryPolicyOrder,
          (page) => listRetryPolicies(tenantId, page),
          () => countRetryPolicies(tenantId),
        );
      },
    },
    connectionType(RetryPolicyType),
  ),
}));

const MemoryInput = builder.inputType('RetryMemoryInput', {
  description: 'How the memory of a job changes. Give exactly one of the fields.',
  fields: (t) => ({
    static: t.string({ description: texts.fixed }),
    factor: t.float({ description: texts.factor }),
  }),
});

const AffinityInput = builder.inputType('RetryAffinityInput', {
  description: 'Where the next attempt of a job runs.',
  fields: (t) => ({ avoidSameNode: t.boolean({ defaultValue: false, description: texts.avoid }) }),
});

const ResourcesInput = builder.inputType('RetryResourcesInput', {
  description: 'What the next attempts of a job request.',
  fields: (t) => ({ memory: t.field({ type: MemoryInput, description: texts.memory }) }),
});

const MutationInput = builder.inputType('RetryMutationInput', {
  description: 'What is different in the next attempt of a job.',
  fields: (t) => ({
    affinity: t.field({ type: AffinityInput, description: texts.affinity }),
    resources: t.field({ type: ResourcesInput, description: texts.resources }),
  }),
});

const RuleInput = builder.inputType('RetryRuleInput', {
  description: 'A rule of a retry policy. The first rule that matches a failure decides.',
  fields: (t) => ({
    action: t.field({ type: RetryActionEnum, required: true, description: texts.action }),
    onCategory: t.field({ type: ErrorKindEnum, required: true, description: texts.category }),
    onSubcategory: t.string({ description: texts.subcategory }),
    mutate: t.field({ type: MutationInput, description: texts.mutate }),
  }),
});

const policyInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      name: t.string({ required: true, description: texts.name }),
      retryLimit: t.int({ required: true, description: texts.limit }),
      defaultAction: t.field({ type: RetryActionEnum, required: true, description: texts.defaultAction }),
      rules: t.field({
        type: [RuleInput],
        defaultValue: [],
        description: 'The rules, at most 100. The first rule that matches a failure decides.',
      }),
    }),
  });

const CreateRetryPolicyInput = policyInput('CreateRetryPolicyInput', 'A retry policy to create.');
const UpdateRetryPolicyInput = policyInput(
  'UpdateRetryPolicyInput',
  'A retry policy as it shall be. Rules that are left out are gone.',
);

interface PolicyInput {
  readonly name: string;
  readonly retryLimit: number;
  readonly defaultAction: RetryAction;
  readonly rules?: readonly RuleShape[] | null | undefined;
}

interface RuleShape {
  readonly action: RetryAction;
  readonly onCategory: ErrorKind;
  readonly onSubcategory?: string | null | undefined;
  readonly mutate?: typeof MutationInput.$inferInput | null | undefined;
}

const policyRequest = ({ rules, ...policy }: PolicyInput): RetryPolicyRequest => ({
  ...policy,
  rules: (rules ?? []).map(({ action, onCategory, onSubcategory, mutate }) => {
    const memory = mutate?.resources?.memory;
    return {
      ...{ action, onCategory, onSubcategory: onSubcategory ?? null },
      mutate: mutate
        ? {
            avoidSameNode: mutate.affinity?.avoidSameNode ?? false,
            memory: memory ? { static: memory.static ?? null, factor: memory.factor ?? null } : null,
          }
        : null,
    };
  }),
});

const CreateRetryPolicyPayload = payload('CreateRetryPolicyPayload', 'retryPolicy', RetryPolicyType);
const UpdateRetryPolicyPayload = payload('UpdateRetryPolicyPayload', 'retryPolicy', RetryPolicyType);

const DeleteRetryPolicyInput = builder.inputType('DeleteRetryPolicyInput', {
  description: 'A retry policy to delete.',
  fields: (t) => ({ name: t.string({ required: true, description: 'The name of the policy.' }) }),
});

type Deletion = Awaited<ReturnType<typeof deleteRetryPolicy>>;

const DeleteRetryPolicyPayload = builder.objectRef<Deletion>('DeleteRetryPolicyPayload').implement({
  description: 'What `deleteRetryPolicy` answers when it succeeds.',
  fields: (t) => ({
    retryPolicy: t.field({
      type: RetryPolicyType,
      nullable: true,
      description: 'The policy that was deleted; null if there was none.',
      resolve: ({ policy }) => policy,
    }),
    detachedQueues: t.exposeInt('queues', { description: 'How many queues named the policy until now.' }),
  }),
});

builder.mutationFields((t) => ({
  createRetryPolicy: t.field({
    type: CreateRetryPolicyPayload,
    nullable: true,
    description:
      'Creates a retry policy. Requires the role SUPERUSER or a higher one. It has no effect until a queue names it.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(CreateRetryPolicyInput),
    resolve: async (_root, { input }, context) => ({
      retryPolicy: await createRetryPolicy(callerOf(context), policyRequest(input)),
    }),
  }),
  updateRetryPolicy: t.field({
    type: UpdateRetryPolicyPayload,
    nullable: true,
    description:
      'Replaces a retry policy. Requires the role SUPERUSER or a higher one. It counts for the next failure of each job.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(UpdateRetryPolicyInput),
    resolve: async (_root, { input }, context) => {
      const retryPolicy = await updateRetryPolicy(callerOf(context), policyRequest(input));
      context.loaders.retryPolicy.clearAll();
      return { retryPolicy };
    },
  }),
  deleteRetryPolicy: t.field({
    type: DeleteRetryPolicyPayload,
    nullable: true,
    description:
      'Deletes a retry policy, and takes it from all queues that name it. Requires the role SUPERUSER or a higher one. A policy that does not exist is no error; a text that cannot be the name of a policy is INVALID_ARGUMENT.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteRetryPolicyInput),
    resolve: async (_root, { input }, context) => {
      const deletion = await deleteRetryPolicy(callerOf(context), input.name);
      context.loaders.retryPolicy.clearAll();
      context.loaders.queue.clearAll();
      return deletion;
    },
  }),
}));

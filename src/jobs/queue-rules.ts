import { isSeen } from '../authorization/can.ts';
import { managesTenant } from '../authorization/domain/roles.ts';
import type { Context } from '../graphql/context.ts';
import { can, canOnSome, type Finder, type Lookup, type RootRules, ruleBy } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { queueTarget } from './domain/targets.ts';
import { ofQueueBy } from './rules.ts';
import type { QueueBy } from './store/queues.ts';
import type { RetryPolicyBy } from './store/retry-policies.ts';

/** The queue at an address in the input. */
const queueAt = (by: (input: never) => QueueBy): Finder => ({
  kind: 'queue',
  key: (args) => addressText(by(args['input'] as never)),
  target: async (args, { loaders }) => {
    const queue = await loaders.queue.load(by(args['input'] as never));
    return queue && queueTarget(queue);
  },
});

const inBy = queueAt(({ by }: { by: QueueBy }) => by);
const named = queueAt(({ name }: { name: string }) => ({ name }));

/**
 * The queue to delete. A queue that is deleted already is found until nothing is left of it, so that its managers can
 * repeat the call. Where there is no queue, nothing can be hidden from those who manage the tenant.
 */
const toDelete: Finder = {
  ...inBy,
  target: async (args, { caller, loaders }) => {
    const queue = await loaders.queueWithDeleted.load((args['input'] as { by: QueueBy }).by);
    if (queue) return queueTarget(queue);
    const mayDeleteAll = caller !== null && managesTenant(caller.role);
    return mayDeleteAll ? { tenantId: caller.tenantId, resources: [], allOf: 'QUEUE' } : null;
  },
};

interface NameInput {
  readonly input: { readonly name: string };
}

/** Asks for `queue:update` if the caller may read a queue with the name, and otherwise for `queue:create`. */
const toUpsert = ruleBy(async ({ input: { name } }: NameInput, { caller, loaders }: Context) => {
  const queue = await loaders.queue.load({ name });
  const target = queue && queueTarget(queue);
  const exists = caller !== null && (await isSeen(caller, { kind: 'queue', key: name }, target));
  return exists ? can('queue:update', named) : can('queue:create', { kind: 'queue', key: () => name });
});

const policyInInput = {
  kind: 'retry policy',
  key: (args: Readonly<Record<string, unknown>>) => (args['input'] as { name: string }).name,
} as const;

const policyAt = (by: (args: never) => RetryPolicyBy): Lookup => ({
  kind: 'retry policy',
  key: (args) => addressText(by(args as never)),
  lookUp: async (args, { loaders }) => {
    const policy = await loaders.retryPolicy.load(by(args as never));
    return policy && { id: policy.id };
  },
});

export const queueRules: RootRules = {
  Query: {
    queueInfo: can('queue:read', ofQueueBy),
    activeQueues: can('queue:list'),
    queueShares: can('queue:list'),
    retryPolicy: can(
      'retryPolicy:read',
      policyAt(({ by }: { by: RetryPolicyBy }) => by),
    ),
    retryPolicies: can('retryPolicy:read'),
  },
  Mutation: {
    updateQueue: can('queue:update', named),
    upsertQueue: toUpsert,
    createQueues: canOnSome('queue:create'),
    updateQueues: canOnSome('queue:update'),
    deleteQueue: can('queue:delete', toDelete),
    cordonQueue: can('queue:cordon', inBy),
    uncordonQueue: can('queue:cordon', inBy),
    createRetryPolicy: can('retryPolicy:create', policyInInput),
    updateRetryPolicy: can(
      'retryPolicy:update',
      policyAt(({ input: { name } }: NameInput) => ({ name })),
    ),
    deleteRetryPolicy: can('retryPolicy:delete', policyInInput),
  },
};

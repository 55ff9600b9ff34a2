import { isAllowed } from '../../authorization/can.ts';
import { ExecutionPhaseEnum } from '../../executions/graphql/execution.ts';
import type { Project } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { updateRetention } from '../commands/update-retention.ts';
import { endedPhases, MAX_RULES, type RetentionRule } from '../domain/retention-rules.ts';
import { countDue, type DueExecutions, MAX_COUNTED } from '../store/count-due.ts';
import { findPolicy, type PolicyKey, type RetentionPolicyRow } from '../store/policies.ts';

const SECOND = 1000;

const RetentionRuleType = builder.objectRef<RetentionRule>('RetentionRule').implement({
  description: 'One rule of a retention policy. It fits the executions that meet all its conditions.',
  fields: (t) => ({
    keepFor: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long after its end an execution is deleted; null if it is kept for ever.',
      resolve: ({ keepSeconds }) => (keepSeconds === null ? null : keepSeconds * SECOND),
    }),
    phases: t.field({
      type: [ExecutionPhaseEnum],
      extensions: { listSize: endedPhases.length },
      description: 'Fits only executions that have ended in one of these phases; empty for all.',
      resolve: ({ phases }) => [...phases],
    }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Fits only executions that have all of these labels.',
      resolve: ({ labels }) => entriesOf(labels),
    }),
    archivedOnly: t.exposeBoolean('archivedOnly', {
      description: 'Whether it fits only executions that are ARCHIVED.',
    }),
  }),
});

const DueExecutionsType = builder.objectRef<DueExecutions>('DueExecutions').implement({
  description: 'What rules delete at this time. It counts only executions that you may read.',
  fields: (t) => ({
    executions: t.exposeInt('executions', { description: 'How many executions would be deleted.' }),
    events: t.expose('events', {
      type: 'BigInt',
      description: 'How many events these executions have together, as a measure of their size.',
    }),
    oldestEndedAt: t.expose('oldestEndedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the first of them ended; null if there is none.',
    }),
    isComplete: t.exposeBoolean('isComplete', {
      description: `False if more than ${MAX_COUNTED} executions have ended long enough ago: only the oldest ones were counted.`,
    }),
  }),
});

/** What the rules of a policy delete now, or would delete. */
const dueOf = (key: PolicyKey, rules: readonly RetentionRule[], context: Context) =>
  countDue(callerOf(context), key, rules, new Date());

const onlyForManagers =
  'This includes executions that are hidden from you, so it is null unless you may call `updateRetention` for the project.';

/** Whether the caller may know what has become of all executions, also of those that were hidden from it. */
const seesDeletions = ({ tenantId, projectId }: PolicyKey, context: Context): Promise<boolean> =>
  isAllowed(callerOf(context), 'retention:update', {
    target: async () => projectTarget({ id: projectId, tenantId }),
  });

const RetentionType = builder.objectRef<RetentionPolicyRow>('Retention').implement({
  description: 'How long the ended executions in one domain of a project are kept.',
  fields: (t) => ({
    domain: t.exposeString('domain', { description: 'The domain of the project.' }),
    rules: t.field({
      type: [RetentionRuleType],
      extensions: { listSize: MAX_RULES },
      description:
        'The rules, in their order. The first one that fits an execution counts. An execution that none fits is kept.',
      resolve: ({ rules }) => [...rules],
    }),
    setBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who set the rules.',
      resolve: ({ setById }, _args, { loaders }) => loaders.publicUser.load(setById),
    }),
    setAt: t.expose('setAt', { type: 'DateTime', description: 'When the rules were set.' }),
    lastSweptAt: t.expose('lastSweptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the scheduler last came to the end of all executions; null if it never has.',
    }),
    lastDeletedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: `When the policy last deleted something; null if it never has. ${onlyForManagers}`,
      resolve: async (policy, _args, context) =>
        (await seesDeletions(policy, context)) ? policy.lastDeletedAt : null,
    }),
    deletedCount: t.field({
      type: 'BigInt',
      nullable: true,
      description: `How many executions the policy has deleted since there is one. ${onlyForManagers}`,
      resolve: async (policy, _args, context) =>
        (await seesDeletions(policy, context)) ? policy.deletedCount : null,
    }),
    due: t.field({
      type: DueExecutionsType,
      description: 'What the policy deletes next, because its time is over.',
      resolve: (policy, _args, context) => dueOf(policy, policy.rules, context),
    }),
  }),
});

const RetentionRuleInput = builder.inputType('RetentionRuleInput', {
  description: 'One rule of a retention policy. It fits the executions that meet all its conditions.',
  fields: (t) => ({
    keepFor: t.field({
      type: 'Duration',
      description:
        'How long after its end an execution is deleted, from 1 hour to 3650 days. Null or left out: it is kept for ever.',
    }),
    phases: t.field({
      type: [ExecutionPhaseEnum],
      description: `Fits only executions that have ended in one of these phases: ${endedPhases.join(', ')}. Left out: in any of them.`,
    }),
    labels: t.field({
      type: [KeyValueInput],
      description: 'Fits only executions that have all of these labels, at most 16.',
    }),
    archivedOnly: t.boolean({
      defaultValue: false,
      description: 'Whether it fits only executions that are ARCHIVED.',
    }),
  }),
});

const UpdateRetentionInput = builder.inputType('UpdateRetentionInput', {
  description: 'How long the ended executions in one domain of a project are kept.',
  fields: (t) => ({
    project: t.string({ required: true, description: 'The identifier of the project.' }),
    domain: t.string({ required: true, description: 'The domain of the project.' }),
    rules: t.field({
      type: [RetentionRuleInput],
      required: true,
      description: `The rules, at most ${MAX_RULES}. They replace all earlier ones. The first rule that fits an execution counts, and an execution that none fits is kept. An empty list removes the policy: then all executions are kept.`,
    }),
    dryRun: t.boolean({
      defaultValue: false,
      description: 'Whether to check the rules and count what they would delete, and change nothing.',
    }),
  }),
});

interface RetentionUpdate {
  readonly retention: RetentionPolicyRow | null;
  readonly key: PolicyKey;
  readonly rules: readonly RetentionRule[];
}

const UpdateRetentionPayload = builder.objectRef<RetentionUpdate>('UpdateRetentionPayload').implement({
  description: 'What `updateRetention` answers when it succeeds.',
  fields: (t) => ({
    retention: t.expose('retention', {
      type: RetentionType,
      nullable: true,
      description:
        'The policy after the mutation; null if there is none. After a dry run: the policy as it was and is.',
    }),
    due: t.field({
      type: DueExecutionsType,
      description: 'What the given rules delete at this time, also if this is a dry run.',
      resolve: ({ key, rules }, _args, context) => dueOf(key, rules, context),
    }),
  }),
});

async function projectOf(
  identifier: string,
  { loaders }: Context,
  path: readonly string[],
): Promise<Project> {
  const project = await loaders.project.load({ identifier });
  if (!project) throw new NotFoundError('project', identifier, path);
  return project;
}

/** The rules of an input, in their stored form. */
const rulesOf = (rules: readonly (typeof RetentionRuleInput.$inferInput)[]): RetentionRule[] =>
  rules.map(({ keepFor, phases, labels, archivedOnly }, at) => ({
    keepSeconds: keepFor == null ? null : keepFor / SECOND,
    phases: phases ?? [],
    labels: mapOf(labels ?? [], ['input', 'rules', String(at), 'labels']),
    archivedOnly: archivedOnly ?? false,
  }));

builder.mutationField('updateRetention', (t) =>
  t.field({
    type: UpdateRetentionPayload,
    nullable: true,
    description:
      'Sets how long the ended executions in one domain of a project are kept. Requires MANAGE on the project, which also covers workflows in it that are hidden from you. The scheduler deletes executions whose time is over, as `deleteExecutions` does, and nobody can get them back: try the rules with `dryRun` first.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(UpdateRetentionInput),
    resolve: async (_root, { input }, context): Promise<RetentionUpdate> => {
      const project = await projectOf(input.project, context, ['input', 'project']);
      const rules = rulesOf(input.rules);
      const key = { tenantId: project.tenantId, projectId: project.id, domain: input.domain };
      const isDryRun = input.dryRun ?? false;
      const retention = await updateRetention(callerOf(context), project, input.domain, rules, isDryRun);
      return { retention, key, rules };
    },
  }),
);

builder.queryField('retention', (t) =>
  t.field({
    type: RetentionType,
    nullable: true,
    description:
      'How long the ended executions in one domain of a project are kept; null if they are kept for ever. Requires READ on the project.',
    args: {
      project: t.arg.string({ required: true, description: 'The identifier of the project.' }),
      domain: t.arg.string({ required: true, description: 'The domain of the project.' }),
    },
    resolve: async (_root, { project: identifier, domain }, context) => {
      const { id: projectId, tenantId } = await projectOf(identifier, context, ['project']);
      return await findPolicy({ tenantId, projectId, domain });
    },
  }),
);

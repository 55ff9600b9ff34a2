import type { GrantResource, Subject } from '../../authorization/domain/decision.ts';
import { type ExplainedStep, type Explanation, explain } from '../../authorization/explain.ts';
import { managedResources } from '../../authorization/managed-resources.ts';
import type { Grantee } from '../../authorization/store/grant-levels.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { GrantType, getResource } from './grant.ts';
import { GrantResourceType, type ResourceBy, ResourceByInput } from './resource.ts';

const ExplanationStepKind = enumOf<ExplainedStep['step']>(
  'ExplanationStepKind',
  'The questions of a decision, in the order in which they are asked.',
  {
    DISABLED: 'Is the user disabled? Then the level is NO_PERMISSIONS.',
    PUBLIC: 'Is the resource public? Then the level is READ, for everybody.',
    OTHER_TENANT:
      'Does it belong to another tenant? Then the level is NO_PERMISSIONS, except for the role ROOT.',
    ROLE: 'Is the user an administrator? Then the level is MANAGE.',
    GRANTS:
      "Is there a grant on this resource? The user's own grant decides, or else the highest grant of the user's groups.",
    DEFAULT:
      'No other question has decided. Then the default level of the user, or else of the tenant, or else of the server decides.',
  },
);

const DecidedByEnum = enumOf<Explanation['decidedBy']>(
  'DecidedBy',
  'The question of a decision that gave a user a level.',
  {
    DISABLED: 'The user is disabled.',
    PUBLIC: 'The resource is public.',
    OTHER_TENANT: 'The resource belongs to another tenant.',
    ROLE: 'The user is an administrator.',
    USER_GRANT: 'A grant to the user.',
    GROUP_GRANT: 'The highest grant to a group of the user.',
    USER_DEFAULT: "The user's default level.",
    TENANT_DEFAULT: "The tenant's default level.",
    SERVER_DEFAULT: "The server's default level.",
  },
);

const DecisionCap = enumOf<Explanation['caps'][number]>(
  'DecisionCap',
  'A limit that lowers a level after it is decided.',
  {
    ROLE_CEILING: 'The role of the user allows no higher level on any resource.',
    TOKEN_RESOURCES: 'The token is limited to other resources.',
  },
);

type In<Row> = Row & { readonly tenantId: string };

const resourceOf = ({ resource, tenantId }: In<Pick<Explanation, 'resource'>>) =>
  resource && { ...resource, tenantId };

const ExplanationStepType = builder.objectRef<In<ExplainedStep>>('ExplanationStep').implement({
  description: 'One question of a decision, and the grants that it found.',
  fields: (t) => ({
    step: t.expose('step', { type: ExplanationStepKind, description: 'Which question was asked.' }),
    resource: t.field({
      type: GrantResourceType,
      nullable: true,
      description:
        'The resource whose grants this question is about; null for questions that are not about grants.',
      resolve: resourceOf,
    }),
    ownLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description: "The level of the user's own grant on this resource; null if there is none.",
      resolve: ({ levels }) => levels?.own ?? null,
    }),
    groupLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description: "The highest level that the user's groups have on this resource; null if they have none.",
      resolve: ({ levels }) => levels?.group ?? null,
    }),
    groups: t.stringList({
      description: "The names of the user's groups that have a grant on this resource, highest level first.",
      resolve: ({ rows }) => rows.flatMap(({ groupName }) => groupName ?? []),
    }),
    answered: t.exposeBoolean('answered', {
      description:
        'Whether this question decided the level. If it did, the questions after it were not asked.',
    }),
  }),
});

const AccessExplanationType = builder.objectRef<In<Explanation>>('AccessExplanation').implement({
  description: 'What a user may do with a resource, and why.',
  fields: (t) => ({
    level: t.expose('level', {
      type: LevelEnum,
      description: 'The level that the user has after all questions and limits.',
    }),
    decidedBy: t.expose('decidedBy', {
      type: DecidedByEnum,
      description: 'The kind of question that decided the level.',
    }),
    resource: t.field({
      type: GrantResourceType,
      nullable: true,
      description: 'The resource of the grant that decided; null if no grant decided.',
      resolve: resourceOf,
    }),
    grant: t.field({
      type: GrantType,
      nullable: true,
      description: 'The grant that decided; null if no grant decided.',
      resolve: ({ grant }) => grant,
    }),
    caps: t.field({
      type: [DecisionCap],
      description: 'The limits that lowered the level after it was decided. Usually empty.',
      resolve: ({ caps }) => [...caps],
    }),
    steps: t.field({
      type: [ExplanationStepType],
      extensions: { listSize: 10 },
      description: 'The questions that were asked, up to the one that decided.',
      resolve: ({ steps, tenantId }) => steps.map((step) => ({ ...step, tenantId })),
    }),
  }),
});

builder.queryField('explainPermission', (t) =>
  t.field({
    type: AccessExplanationType,
    nullable: true,
    description:
      'What a user may do with a resource, and why. For yourself, this requires READ on the resource, and the limits of this sign-in count. For other users, it requires MANAGE, and it shows only grants on resources that you manage.',
    args: {
      user: t.arg({ type: UserByInput, required: true, description: 'Which user.' }),
      resource: t.arg({ type: ResourceByInput, required: true, description: 'Which resource.' }),
    },
    resolve: async (_root, args, context) => {
      const caller = callerOf(context);
      const { tenantId } = caller;
      const { target } = await getResource(args.resource as ResourceBy, context, ['resource']);
      const subject = await subjectOf(args.user, context);
      const explanation = await explain(subject, target);
      if (subject.userId === caller.userId) return { ...explanation, tenantId };
      return { ...within(explanation, await managedResources(caller, target)), tenantId };
    },
  }),
);

/**
 * The part of an explanation about another user that the reader may see: only grants on resources that the reader
 * manages.
 */
function within(explanation: Explanation, resources: readonly GrantResource[]): Explanation {
  const isShown = (resource: GrantResource | null) =>
    resource !== null && resources.some(({ type, id }) => type === resource.type && id === resource.id);
  const { resource, grant, steps } = explanation;
  const isDecisionShown = isShown(resource);
  return {
    ...explanation,
    resource: isDecisionShown ? resource : null,
    grant: isDecisionShown ? grant : null,
    steps: steps.filter((step) => step.resource === null || isShown(step.resource)),
  };
}

/** The caller with the limits of this sign-in; another user without such limits. @throws NotFoundError */
async function subjectOf(by: object, context: Context): Promise<Subject & Grantee> {
  const caller = callerOf(context);
  const user = await context.loaders.userAt.load({ tenantId: caller.tenantId, by: by as never });
  if (!user) throw new NotFoundError('user', String(Object.values(by)[0]), ['user']);
  if (user.id === caller.userId) return caller;
  const principal = await context.loaders.principal.load(user.id);
  return {
    tenantId: user.tenantId,
    userId: user.id,
    role: user.role,
    defaultLevel: principal?.defaultLevel ?? 'NO_PERMISSIONS',
    defaultFrom: principal?.defaultFrom ?? 'SERVER',
    confinedTo: null,
    groupIds: [],
    // Disabled users have no principal, because they cannot sign in.
    isDisabled: principal === null,
  };
}

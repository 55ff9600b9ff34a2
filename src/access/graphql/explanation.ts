import type { Place, Subject } from '../../authorization/domain/decision.ts';
import { type ExplainedStep, type Explanation, explain } from '../../authorization/explain.ts';
import { managedPlaces } from '../../authorization/managed-places.ts';
import type { GrantSubject } from '../../authorization/store/grants.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { found, PermissionType } from './permission.ts';
import { PermissionPlaceType, type PermissionResource, PermissionResourceInput } from './resource.ts';

const ExplanationStepKind = builder.enumType('ExplanationStepKind', {
  description: 'The questions of a decision, in their order.',
  values: {
    DISABLED: { description: 'Is the user disabled? Then: nothing.' },
    PUBLIC: { description: 'Is the resource public? Then: READ, for everybody.' },
    OTHER_TENANT: { description: "Is it another tenant's? Then: nothing, except for root." },
    ROLE: { description: 'Is the user an administrator? Then: MANAGE.' },
    GRANTS: {
      description:
        "Is there a permission at this place? The user's own decides, else the highest of its groups'.",
    },
    DEFAULT: { description: 'Nothing has answered: the default of the user, else tenant, else server.' },
  } as const,
});

const DecidedByEnum = builder.enumType('DecidedBy', {
  description: 'What decided.',
  values: [
    'DISABLED',
    'PUBLIC',
    'OTHER_TENANT',
    'ROLE',
    'USER_GRANT',
    'GROUP_GRANT',
    'USER_DEFAULT',
    'TENANT_DEFAULT',
    'SERVER_DEFAULT',
  ] as const,
});

const DecisionCap = builder.enumType('DecisionCap', {
  description: 'What lowered the level that was decided.',
  values: {
    ROLE_CEILING: { description: 'The role may do no more on any resource.' },
    TOKEN_RESOURCES: { description: 'The token was confined to other resources.' },
  } as const,
});

type In<Row> = Row & { readonly tenantId: string };

const placeOf = ({ place, tenantId }: In<Pick<Explanation, 'place'>>) => place && { ...place, tenantId };

const ExplanationStepType = builder.objectRef<In<ExplainedStep>>('ExplanationStep').implement({
  description: 'One question of a decision, as it was asked.',
  fields: (t) => ({
    step: t.field({ type: ExplanationStepKind, resolve: ({ step }) => step }),
    place: t.field({
      type: PermissionPlaceType,
      nullable: true,
      description: 'Where permissions were looked for; null for other questions.',
      resolve: placeOf,
    }),
    ownLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description: "Of the user's own permission there; null when there is none.",
      resolve: ({ granted }) => granted?.own ?? null,
    }),
    groupLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description: "The highest of its groups' permissions there; null when there is none.",
      resolve: ({ granted }) => granted?.group ?? null,
    }),
    groups: t.stringList({
      description: 'The names of its groups with a permission there, that with the highest first.',
      resolve: ({ rows }) => rows.flatMap(({ groupName }) => groupName ?? []),
    }),
    answered: t.exposeBoolean('answered', {
      description: 'Whether it decided. What would have come after it was not asked.',
    }),
  }),
});

const PermissionExplanationType = builder.objectRef<In<Explanation>>('PermissionExplanation').implement({
  description: 'What a user may do with a resource, and why.',
  fields: (t) => ({
    level: t.field({ type: LevelEnum, resolve: ({ level }) => level }),
    decidedBy: t.field({ type: DecidedByEnum, resolve: ({ decidedBy }) => decidedBy }),
    place: t.field({
      type: PermissionPlaceType,
      nullable: true,
      description: 'Where the permission is that decided; null when none did.',
      resolve: placeOf,
    }),
    grant: t.field({
      type: PermissionType,
      nullable: true,
      description: 'The permission that decided; null when none did.',
      resolve: ({ grant }) => grant,
    }),
    caps: t.field({
      type: [DecisionCap],
      description: 'What lowered the level afterwards.',
      resolve: ({ caps }) => [...caps],
    }),
    steps: t.field({
      type: [ExplanationStepType],
      extensions: { listSize: 10 },
      description: 'The questions up to the one that answered, in their order.',
      resolve: ({ steps, tenantId }) => steps.map((step) => ({ ...step, tenantId })),
    }),
  }),
});

builder.queryField('explainPermission', (t) =>
  t.field({
    type: PermissionExplanationType,
    nullable: true,
    description:
      'What a user may do with a resource, and which step decided. About others for those who manage it, as far as they manage what holds it; about yourself, with this sign-in, on what you may read.',
    args: {
      user: t.arg({ type: UserByInput, required: true }),
      resource: t.arg({ type: PermissionResourceInput, required: true }),
    },
    resolve: async (_root, args, context) => {
      const caller = callerOf(context);
      const { tenantId } = caller;
      const { target } = await found(args.resource as PermissionResource, context, ['resource']);
      const subject = await subjectOf(args.user, context);
      const explanation = await explain(subject, target);
      if (subject.userId === caller.userId) return { ...explanation, tenantId };
      return { ...within(explanation, await managedPlaces(caller, target)), tenantId };
    },
  }),
);

/** As much of an explanation about another as its reader may see: what was granted at places that it manages. */
function within(explanation: Explanation, places: readonly Place[]): Explanation {
  const isShown = (place: Place | null) =>
    place !== null && places.some(({ type, id }) => type === place.type && id === place.id);
  const { place, grant, steps } = explanation;
  const isDecisionShown = isShown(place);
  return {
    ...explanation,
    place: isDecisionShown ? place : null,
    grant: isDecisionShown ? grant : null,
    steps: steps.filter((step) => step.place === null || isShown(step.place)),
  };
}

/** Oneself as one is signed in now; another as it would be in a plain sign-in. @throws NotFoundError */
async function subjectOf(by: object, context: Context): Promise<Subject & GrantSubject> {
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
    // Nobody signs in as a disabled user.
    isDisabled: principal === null,
  };
}

import { isAllowed } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import { callerOf } from '../graphql/context.ts';
import { can, type RootRules, type Rule, ruleBy } from '../graphql/rules.ts';
import { isWide, ofResource, type ResourceBy, wideKind } from './graphql/resource.ts';

/** On an object it takes a level there; on all of a type or on the tenant, an administrator. */
const on = (permission: Permission, resource: ResourceBy): Rule =>
  isWide(resource)
    ? can('permission:administer', { kind: wideKind(resource), key: () => '*' })
    : can(permission, ofResource(resource));

/**
 * Nobody can change a public resource, but whoever would manage it if it were private may still list its grants, because
 * they can unpublish it.
 */
const toRead = (resource: ResourceBy): Rule => {
  const rule = on('permission:read', resource);
  if (isWide(resource)) return rule;
  const { kind, key, target } = ofResource(resource);
  return {
    ...rule,
    async decide(args, context) {
      const asPrivate = async () => {
        const found = await target(args, context);
        return found && { ...found, isPublic: false };
      };
      // By the rule's own name of it, so that an absent resource is asked about once, as a hidden one is.
      const find = { kind, key: key(args, context), target: asPrivate };
      const isManager = await isAllowed(callerOf(context), 'permission:read', find);
      return isManager || (await rule.decide(args, context));
    },
  };
};

type InputArguments = { input: { resource: ResourceBy } };
type ResourceArguments = { resource: ResourceBy };

const toGrant = ruleBy(({ input }: InputArguments) => on('permission:grant', input.resource));

type OfMLflow = { experiment: object } | { registeredModel: object };
const mayRead = ruleBy((args: OfMLflow) => toRead(pick(args)));
const mayWrite = ruleBy(({ input }: { input: OfMLflow }) => on('permission:grant', pick(input)));

/** The resource that MLflow's operations name beside the user. */
const pick = (args: OfMLflow): ResourceBy =>
  'experiment' in args ? { experiment: args.experiment } : { registeredModel: args.registeredModel };

/** About oneself, who may read the resource; about others, who manages it. */
const toExplain = ruleBy(
  async ({ user, resource }: ResourceArguments & { user: never }, { caller, loaders }) => {
    const row = caller && (await loaders.userAt.load({ tenantId: caller.tenantId, by: user }));
    const isSelf = row?.id === caller?.userId;
    return isSelf ? on('permission:explain', resource) : toRead(resource);
  },
);

export const accessRules: RootRules = {
  Query: {
    permissions: ruleBy(({ resource }: ResourceArguments) => toRead(resource)),
    allPermissions: can('permission:list'),
    myPermissions: can('permission:list'),
    grantees: ruleBy(({ resource }: ResourceArguments) => on('permission:grant', resource)),
    explainPermission: toExplain,
    experimentPermission: mayRead,
    registeredModelPermission: mayRead,
    auditEvents: can('audit:read'),
  },
  Mutation: {
    grantPermission: toGrant,
    updatePermission: toGrant,
    revokePermission: toGrant,
    createExperimentPermission: mayWrite,
    updateExperimentPermission: mayWrite,
    deleteExperimentPermission: mayWrite,
    createRegisteredModelPermission: mayWrite,
    updateRegisteredModelPermission: mayWrite,
    deleteRegisteredModelPermission: mayWrite,
  },
};

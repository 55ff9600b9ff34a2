import { isAllowed } from '../authorization/can.ts';
import type { Permission } from '../authorization/domain/permissions.ts';
import { callerOf } from '../graphql/context.ts';
import { can, type RootRules, type Rule, ruleBy } from '../graphql/rules.ts';
import { isWide, ofResource, type ResourceBy, wideKind } from './graphql/resource.ts';

/** For one object, this requires a level on it; for all objects of a type or for the tenant, an administrator. */
const on = (permission: Permission, resource: ResourceBy): Rule =>
  isWide(resource)
    ? can('permission:administer', { kind: wideKind(resource), key: () => '*' })
    : can(permission, ofResource(resource));

/**
 * Nobody can change a public resource. But a caller who would manage it if it were private may list its grants, because
 * this caller can make it private again.
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
      // The name comes from the rule, so an absent resource takes the same statements as a hidden one.
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

/** The resource of MLflow's operations. */
const pick = (args: OfMLflow): ResourceBy =>
  'experiment' in args ? { experiment: args.experiment } : { registeredModel: args.registeredModel };

/** About yourself: READ on the resource. About another user: MANAGE on it. */
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

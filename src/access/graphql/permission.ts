import { decisionOn } from '../../authorization/can.ts';
import { managedPlaces } from '../../authorization/managed-places.ts';
import { grantOrder, listGrantsAt, listGrantsFor, placeOrder } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { ResourceTypeEnum } from '../../graphql/resource-type.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { grantPermission } from '../commands/grant-permission.ts';
import type { PermissionAddress } from '../commands/permission-change.ts';
import { revokePermission } from '../commands/revoke-permission.ts';
import { updatePermission } from '../commands/update-permission.ts';
import {
  ofResource,
  PermissionPlaceType,
  type PermissionResource,
  PermissionResourceInput,
  type Resolved,
  resolvePlace,
  resolveResource,
} from './resource.ts';
import {
  PermissionSubjectInput,
  PermissionSubjectType,
  resolveSubject,
  type SubjectBy,
  subjectOf,
} from './subject.ts';

export const PermissionType = builder.objectRef<Grant>('Permission').implement({
  description: 'What one user or group was granted at one place. There is at most one for each such pair.',
  fields: (t) => ({
    id: t.exposeID('id'),
    resource: t.field({
      type: PermissionPlaceType,
      resolve: ({ tenantId, resourceType, resourceId }) => ({ tenantId, type: resourceType, id: resourceId }),
    }),
    subject: t.field({
      type: PermissionSubjectType,
      nullable: true,
      description: 'Null when the user or group was deleted this moment.',
      resolve: (grant, _args, { loaders }) => subjectOf(grant, loaders),
    }),
    level: t.field({ type: LevelEnum, resolve: (grant) => grant.level }),
    createdAt: t.field({ type: 'DateTime', resolve: (grant) => grant.createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: (grant) => grant.updatedAt }),
  }),
});

const MyPermissionType = builder.objectRef<Grant>('MyPermission').implement({
  description: 'A permission that speaks about you: your own, or one of a group that you are in.',
  fields: (t) => ({
    permission: t.field({ type: PermissionType, resolve: (grant) => grant }),
    effectiveLevel: t.field({
      type: LevelEnum,
      description: 'What you may do there with this sign-in, all permissions, your role and limits together.',
      resolve: (grant, _args, context) => effectiveLevel(grant, context),
    }),
  }),
});

const MyPermissionFilterInput = builder.inputType('MyPermissionFilter', {
  fields: (t) => ({
    resourceType: t.field({ type: ResourceTypeEnum, description: 'Only permissions on that type.' }),
  }),
});

builder.queryFields((t) => ({
  permissions: t.connection(
    {
      type: PermissionType,
      description:
        'Who was granted what on a resource, the newest first. For those who manage it; on all of a type and on the tenant for administrators.',
      args: {
        resource: t.arg({ type: PermissionResourceInput, required: true }),
        inherited: t.arg.boolean({
          defaultValue: false,
          description:
            'Also what is granted on what holds it, as far as you manage that, and for administrators on all of its type and on the tenant; nearest first: the order in which they decide.',
        }),
      },
      resolve: async (_root, { resource, inherited, ...args }, context) => {
        const caller = callerOf(context);
        const { place, target } = await found(resource as PermissionResource, context, ['resource']);
        const places = inherited ? await managedPlaces(caller, target) : [place];
        return await pagedList(args, placeOrder, (page) => listGrantsAt(caller.tenantId, places, page));
      },
    },
    { name: 'PermissionConnection' },
    { name: 'PermissionEdge' },
  ),
  myPermissions: t.connection(
    {
      type: MyPermissionType,
      description:
        'What was granted to you and to your groups, the newest first. What a permission closes to you is not among it.',
      args: { filter: t.arg({ type: MyPermissionFilterInput }) },
      resolve: async (_root, { filter, ...args }, context) => {
        const type = filter?.resourceType ?? null;
        return await pagedList(args, grantOrder, (page) => listGrantsFor(callerOf(context), type, page));
      },
    },
    { name: 'MyPermissionConnection' },
    { name: 'MyPermissionEdge' },
  ),
}));

async function effectiveLevel(grant: Grant, context: Context): Promise<Level> {
  const place = { type: grant.resourceType, id: grant.resourceId };
  const resolved = await resolvePlace(place, grant.tenantId, context.loaders);
  if (!resolved) return 'NO_PERMISSIONS';
  return (await decisionOn(callerOf(context), resolved.target)).level;
}

/** @throws NotFoundError when it went since the rule found it. */
export async function found(
  resource: PermissionResource,
  context: Context,
  path: readonly string[],
): Promise<Resolved> {
  const resolved = await resolveResource(resource, callerOf(context).tenantId, context.loaders, path);
  if (resolved) return resolved;
  const { kind, key } = ofResource(resource);
  throw new NotFoundError(kind, key({}, context), path);
}

const subjectField = { type: PermissionSubjectInput, required: true } as const;
const resourceField = { type: PermissionResourceInput, required: true } as const;

const GrantPermissionInput = builder.inputType('GrantPermissionInput', {
  fields: (t) => ({
    subject: t.field(subjectField),
    resource: t.field(resourceField),
    level: t.field({ type: LevelEnum, required: true }),
  }),
});

const UpdatePermissionInput = builder.inputType('UpdatePermissionInput', {
  fields: (t) => ({
    subject: t.field(subjectField),
    resource: t.field(resourceField),
    level: t.field({ type: LevelEnum, required: true }),
  }),
});

const RevokePermissionInput = builder.inputType('RevokePermissionInput', {
  fields: (t) => ({ subject: t.field(subjectField), resource: t.field(resourceField) }),
});

const permissionPayload = (name: string) =>
  builder.objectRef<{ permission: Grant }>(name).implement({
    fields: (t) => ({
      permission: t.field({ type: PermissionType, resolve: ({ permission }) => permission }),
    }),
  });
const GrantPermissionPayload = permissionPayload('GrantPermissionPayload');
const UpdatePermissionPayload = permissionPayload('UpdatePermissionPayload');

const RevokePermissionPayload = builder.objectRef<{ revoked: Grant }>('RevokePermissionPayload').implement({
  fields: (t) => ({
    revoked: t.field({
      type: PermissionType,
      description: 'As it was.',
      resolve: ({ revoked }) => revoked,
    }),
  }),
});

/** What a write is about. The resource was found by the rule; the subject is what remains to be found. */
async function addressOf(
  { subject, resource }: { readonly subject: unknown; readonly resource: unknown },
  context: Context,
): Promise<PermissionAddress> {
  const resolved = await found(resource as PermissionResource, context, ['input', 'resource']);
  return {
    subject: await resolveSubject(subject as SubjectBy, context, ['input', 'subject']),
    place: { ...resolved.place, name: resolved.name },
  };
}

builder.mutationFields((t) => ({
  grantPermission: t.field({
    type: GrantPermissionPayload,
    nullable: true,
    description:
      'Grants a level to a user or group. Never replaces: what is there, whatever its level, is ALREADY_EXISTS. For those who manage the resource.',
    errors: { types: [InvalidArgumentError, NotFoundError, AlreadyExistsError] },
    args: { input: t.arg({ type: GrantPermissionInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      permission: await grantPermission(callerOf(context), await addressOf(input, context), input.level),
    }),
  }),
  updatePermission: t.field({
    type: UpdatePermissionPayload,
    nullable: true,
    description:
      'Sets the level of a permission that is there, your own included; NO_PERMISSIONS shuts out. For those who manage the resource.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: { input: t.arg({ type: UpdatePermissionInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      permission: await updatePermission(callerOf(context), await addressOf(input, context), input.level),
    }),
  }),
  revokePermission: t.field({
    type: RevokePermissionPayload,
    nullable: true,
    description:
      'Takes a permission away. The subject falls back to what its groups, the next places and the defaults say: to shut out, set NO_PERMISSIONS. For those who manage the resource.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: { input: t.arg({ type: RevokePermissionInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      revoked: await revokePermission(callerOf(context), await addressOf(input, context)),
    }),
  }),
}));

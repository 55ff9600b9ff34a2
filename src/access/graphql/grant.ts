import { decisionOn } from '../../authorization/can.ts';
import { managedResources } from '../../authorization/managed-resources.ts';
import {
  countGrantsFor,
  countGrantsOn,
  grantOrder,
  listGrantsFor,
  listGrantsOn,
  resourceOrder,
} from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { payload } from '../../graphql/payload.ts';
import { ResourceTypeEnum } from '../../graphql/resource-type.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import type { GrantAddress } from '../commands/grant-change.ts';
import { grantPermission } from '../commands/grant-permission.ts';
import { revokePermission } from '../commands/revoke-permission.ts';
import { updatePermission } from '../commands/update-permission.ts';
import {
  type FoundResource,
  findResource,
  findResourceBy,
  GrantResourceType,
  ofResource,
  type ResourceBy,
  ResourceByInput,
} from './resource.ts';
import { GrantSubjectType, resolveSubject, type SubjectBy, SubjectByInput, subjectOf } from './subject.ts';

export const GrantType = builder.objectRef<Grant>('Grant').implement({
  description:
    'A level that a user or a group was granted on a resource. There is at most one for each such pair.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'An opaque UUIDv7, unique over all types.' }),
    resource: t.field({
      type: GrantResourceType,
      description: 'What it was granted on: one resource, all of a type, or the tenant.',
      resolve: ({ tenantId, resourceType, resourceId }) => ({ tenantId, type: resourceType, id: resourceId }),
    }),
    subject: t.field({
      type: GrantSubjectType,
      nullable: true,
      description: 'The user or the group that it was granted to; null when that was deleted this moment.',
      resolve: (grant, _args, { loaders }) => subjectOf(grant, loaders),
    }),
    level: t.expose('level', {
      type: LevelEnum,
      description: 'The level that was granted; NO_PERMISSIONS shuts out.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was granted.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its level last changed.' }),
  }),
});

const MyGrantType = builder.objectRef<Grant>('MyGrant').implement({
  description: 'A grant that is about you: your own, or one of a group that you are in.',
  fields: (t) => ({
    grant: t.field({
      type: GrantType,
      description: 'The grant itself.',
      resolve: (grant) => grant,
    }),
    effectiveLevel: t.field({
      type: LevelEnum,
      description:
        'The level that you have on the resource with this sign-in: all grants, your role and the limits of the sign-in together.',
      resolve: (grant, _args, context) => effectiveLevel(grant, context),
    }),
  }),
});

const MyGrantFilterInput = builder.inputType('MyGrantFilterInput', {
  description: 'Which grants a list shows.',
  fields: (t) => ({
    resourceType: t.field({ type: ResourceTypeEnum, description: 'Only grants on resources of this type.' }),
  }),
});

const GrantConnection = connectionType(GrantType);
const MyGrantConnection = connectionType(MyGrantType);

builder.queryFields((t) => ({
  permissions: t.connection(
    {
      type: GrantType,
      description:
        'Who was granted what on a resource, newest first. Requires MANAGE on it; on all of a type and on the tenant an administrator.',
      args: {
        resource: t.arg({
          type: ResourceByInput,
          required: true,
          description: 'What the grants are on.',
        }),
        inherited: t.arg.boolean({
          defaultValue: false,
          description:
            'List the grants on everything that holds it as well, as far as you manage that, and as an administrator on all of its type and on the tenant. The nearest come first, in the order in which they decide.',
        }),
      },
      resolve: async (_root, { resource: by, inherited, ...args }, context) => {
        const caller = callerOf(context);
        const { resource, target } = await getResource(by as ResourceBy, context, ['resource']);
        const resources = inherited ? await managedResources(caller, target) : [resource];
        return await pagedList(
          args,
          resourceOrder,
          (page) => listGrantsOn(caller.tenantId, resources, page),
          () => countGrantsOn(caller.tenantId, resources),
        );
      },
    },
    GrantConnection,
  ),
  myPermissions: t.connection(
    {
      type: MyGrantType,
      description:
        'What was granted to you and to your groups, newest first. Resources that NO_PERMISSIONS hides from you are left out.',
      args: {
        filter: t.arg({ type: MyGrantFilterInput, description: 'Which grants to list. Left out: all.' }),
      },
      resolve: async (_root, { filter, ...args }, context) => {
        const type = filter?.resourceType ?? null;
        const caller = callerOf(context);
        return await pagedList(
          args,
          grantOrder,
          (page) => listGrantsFor(caller, type, page),
          () => countGrantsFor(caller, type),
        );
      },
    },
    MyGrantConnection,
  ),
}));

async function effectiveLevel(grant: Grant, context: Context): Promise<Level> {
  const resource = { type: grant.resourceType, id: grant.resourceId };
  const found = await findResource(resource, grant.tenantId, context.loaders);
  return found ? (await decisionOn(callerOf(context), found.target)).level : 'NO_PERMISSIONS';
}

/** @throws NotFoundError when it went since the rule found it. */
export async function getResource(
  by: ResourceBy,
  context: Context,
  path: readonly string[],
): Promise<FoundResource> {
  const found = await findResourceBy(by, callerOf(context).tenantId, context.loaders, path);
  if (found) return found;
  const { kind, key } = ofResource(by);
  throw new NotFoundError(kind, key({}, context), path);
}

const subjectField = {
  type: SubjectByInput,
  required: true,
  description: 'Who the grant is to: a user or a group of your tenant.',
} as const;
const resourceField = {
  type: ResourceByInput,
  required: true,
  description: 'What the grant is on.',
} as const;

const GrantPermissionInput = builder.inputType('GrantPermissionInput', {
  description: 'A level to grant.',
  fields: (t) => ({
    subject: t.field(subjectField),
    resource: t.field(resourceField),
    level: t.field({ type: LevelEnum, required: true, description: 'The level; NO_PERMISSIONS shuts out.' }),
  }),
});

const UpdatePermissionInput = builder.inputType('UpdatePermissionInput', {
  description: 'A grant to change.',
  fields: (t) => ({
    subject: t.field(subjectField),
    resource: t.field(resourceField),
    level: t.field({
      type: LevelEnum,
      required: true,
      description: 'The new level; NO_PERMISSIONS shuts out.',
    }),
  }),
});

const RevokePermissionInput = builder.inputType('RevokePermissionInput', {
  description: 'A grant to revoke.',
  fields: (t) => ({ subject: t.field(subjectField), resource: t.field(resourceField) }),
});

const GrantPermissionPayload = payload('GrantPermissionPayload', 'grant', GrantType, 'The new grant.');
const UpdatePermissionPayload = payload(
  'UpdatePermissionPayload',
  'grant',
  GrantType,
  'The grant with its new level.',
);
const RevokePermissionPayload = payload(
  'RevokePermissionPayload',
  'grant',
  GrantType,
  'The grant as it was before it was revoked.',
);

/** What a write is about. The resource was found by the rule; the subject is what remains to be found. */
async function addressOf(
  { subject, resource }: { readonly subject: unknown; readonly resource: unknown },
  context: Context,
): Promise<GrantAddress> {
  const found = await getResource(resource as ResourceBy, context, ['input', 'resource']);
  return {
    subject: await resolveSubject(subject as SubjectBy, context, ['input', 'subject']),
    resource: { ...found.resource, name: found.name },
  };
}

builder.mutationFields((t) => ({
  grantPermission: t.field({
    type: GrantPermissionPayload,
    nullable: true,
    description:
      'Grants a user or a group a level on a resource. Requires MANAGE on it. A grant that is there already is ALREADY_EXISTS, whatever its level.',
    errors: { types: [InvalidArgumentError, NotFoundError, AlreadyExistsError] },
    args: inputOf(GrantPermissionInput),
    resolve: async (_root, { input }, context) => ({
      grant: await grantPermission(callerOf(context), await addressOf(input, context), input.level),
    }),
  }),
  updatePermission: t.field({
    type: UpdatePermissionPayload,
    nullable: true,
    description:
      'Changes the level of a grant, your own included. Requires MANAGE on the resource. NOT_FOUND if there is no grant.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(UpdatePermissionInput),
    resolve: async (_root, { input }, context) => ({
      grant: await updatePermission(callerOf(context), await addressOf(input, context), input.level),
    }),
  }),
  revokePermission: t.field({
    type: RevokePermissionPayload,
    nullable: true,
    description:
      'Revokes a grant. Requires MANAGE on the resource. The user or group then has what its groups, the resources around and the defaults give: to shut somebody out, set NO_PERMISSIONS instead.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(RevokePermissionInput),
    resolve: async (_root, { input }, context) => ({
      grant: await revokePermission(callerOf(context), await addressOf(input, context)),
    }),
  }),
}));

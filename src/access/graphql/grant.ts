import { decisionOn } from '../../authorization/can.ts';
import { managedResources } from '../../authorization/managed-resources.ts';
import {
  countGrantsFor,
  countGrantsOn,
  type GrantWithProject,
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
import { selectionOf } from '../../graphql/execution/selection.ts';
import { inputOf } from '../../graphql/input.ts';
import { objectsOf, pagedList } from '../../graphql/keyset.ts';
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

export const GrantType = builder.objectRef<GrantWithProject>('Grant').implement({
  description:
    'A level of one user or group on one resource. For each user or group, a resource has at most one grant.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUIDv7 that is unique across all types.' }),
    resource: t.field({
      type: GrantResourceType,
      description: 'The resource of the grant: one resource, all resources of a type, or the tenant.',
      resolve: ({ tenantId, resourceType: type, resourceId: id, projectIdentifier: name }) =>
        type === 'PROJECT' && name !== undefined ? { tenantId, type, id, name } : { tenantId, type, id },
    }),
    subject: t.field({
      type: GrantSubjectType,
      nullable: true,
      description: 'The user or group that has the level; null if it has just been deleted.',
      resolve: (grant, _args, { loaders }) => subjectOf(grant, loaders),
    }),
    level: t.expose('level', {
      type: LevelEnum,
      description: 'The level. NO_PERMISSIONS hides the resource from the user or group.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was granted.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its level last changed.' }),
  }),
});

const MyGrantType = builder.objectRef<GrantWithProject>('MyGrant').implement({
  description: 'A grant that gives you a level: to you, or to a group that you are in.',
  fields: (t) => ({
    grant: t.field({
      type: GrantType,
      description: 'The grant itself.',
      resolve: (grant) => grant,
    }),
    effectiveLevel: t.field({
      type: LevelEnum,
      description:
        'The level that you have on the resource now. It follows from all grants, your role and the limits of this sign-in.',
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
        'The grants on a resource, newest first. Requires MANAGE on the resource. For all resources of a type and for the tenant, it requires an administrator.',
      args: {
        resource: t.arg({
          type: ResourceByInput,
          required: true,
          description: 'The resource of the grants.',
        }),
        inherited: t.arg.boolean({
          defaultValue: false,
          description:
            'True: list also the grants on the resources that contain it, if you manage them. For administrators, list also the grants on all resources of its type and on the tenant. The nearest grants come first, because they decide first.',
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
        'The grants to you and to your groups, newest first. Grants on resources that NO_PERMISSIONS hides from you are left out.',
      args: {
        filter: t.arg({ type: MyGrantFilterInput, description: 'Which grants to list. If left out: all.' }),
      },
      resolve: async (_root, { filter, ...args }, context, info) => {
        const type = filter?.resourceType ?? null;
        const caller = callerOf(context);
        const selected = selectionOf(info);
        const hasNames =
          selected !== null &&
          objectsOf(selected).some((one) => one.all('grant').some((grant) => grant.has('resource', 'name')));
        return await pagedList(
          args,
          grantOrder,
          (page) => listGrantsFor(caller, type, page, hasNames),
          () => countGrantsFor(caller, type),
          { selected },
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

/** @throws NotFoundError if the resource was deleted since the rule found it. */
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
  description: 'The user or group that has the grant. It must belong to your tenant.',
} as const;
const resourceField = {
  type: ResourceByInput,
  required: true,
  description: 'The resource of the grant.',
} as const;

const GrantPermissionInput = builder.inputType('GrantPermissionInput', {
  description: 'A level to grant.',
  fields: (t) => ({
    subject: t.field(subjectField),
    resource: t.field(resourceField),
    level: t.field({
      type: LevelEnum,
      required: true,
      description: 'The level. NO_PERMISSIONS hides the resource from the user or group.',
    }),
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
      description: 'The new level. NO_PERMISSIONS hides the resource from the user or group.',
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

/** The subject and the resource of a write. The rule has found the resource already; only the subject must be found. */
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
      'Grants a user or a group a level on a resource. Requires MANAGE on the resource. If there is already a grant, the answer is ALREADY_EXISTS, even if it has another level: use `updatePermission`.',
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
      'Changes the level of a grant, even of your own. Requires MANAGE on the resource. NOT_FOUND if there is no grant.',
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
      'Revokes a grant. Requires MANAGE on the resource. Other grants and the default level may still give the user or group a level. To hide the resource from them, set the level NO_PERMISSIONS instead.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(RevokePermissionInput),
    resolve: async (_root, { input }, context) => ({
      grant: await revokePermission(callerOf(context), await addressOf(input, context)),
    }),
  }),
}));

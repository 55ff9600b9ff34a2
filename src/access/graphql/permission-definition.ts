import { permissionTexts } from '../../authorization/domain/permission-texts.ts';
import {
  type NarrowSignIn,
  type Permission,
  permissions,
  type Requirement,
} from '../../authorization/domain/permissions.ts';
import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { RoleEnum } from '../../identity/graphql/user.ts';

const NarrowSignInEnum = enumOf<NarrowSignIn>(
  'NarrowSignIn',
  'Why a sign-in may do less than its user. A sign-in can be several of these.',
  {
    ANONYMOUS: 'A request without credentials, which acts as the anonymous user.',
    SHARED: 'A user that several people sign in as: the configured guest or the anonymous user.',
    CONFINED: 'A token that is limited to some resources.',
    OUT_OF_SCOPE: 'An access key or a token with scopes, none of which covers the permission.',
  },
);

interface PermissionDefinition extends Requirement {
  readonly name: Permission;
}

const PermissionDefinitionType = builder.objectRef<PermissionDefinition>('PermissionDefinition').implement({
  description: 'A permission, and who may use it. Each permission is also a scope.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'The permission as `noun:verb`, as scopes name it. A scope can also name all verbs of a noun, `execution:*`, or one verb of all nouns, `*:read`. The verb `read` includes `list`.',
    }),
    description: t.string({
      description: 'What a user with the permission can do.',
      resolve: ({ name }) => permissionTexts[name],
    }),
    role: t.expose('role', { type: RoleEnum, description: 'The lowest role that may use the permission.' }),
    level: t.field({
      type: LevelEnum,
      nullable: true,
      description:
        'The level that it requires on the object of the call. Null if the call is not about an object with grants, or if the creation policy of the tenant decides.',
      resolve: ({ level }) => (level === 'NONE' || level === 'CREATION_POLICY' ? null : level),
    }),
    openTo: t.field({
      type: [NarrowSignInEnum],
      description: 'The narrow sign-ins that may use it too. The other narrow sign-ins are refused.',
      resolve: ({ openTo }) => [...openTo],
    }),
    serviceScope: t.string({
      nullable: true,
      description:
        'The scope that an access key needs to use it; null unless only programs of the platform may use it.',
      resolve: ({ serviceScope }) => serviceScope ?? null,
    }),
  }),
});

const definitions: readonly PermissionDefinition[] = Object.entries(permissions).map(
  ([name, requirement]) => ({ ...(requirement as Requirement), name: name as Permission }),
);

builder.queryField('allPermissions', (t) =>
  t.field({
    type: [PermissionDefinitionType],
    extensions: { listSize: definitions.length },
    description:
      'All permissions that exist, so that user interfaces can let people choose scopes. Your own grants are in `myPermissions`.',
    resolve: () => [...definitions],
  }),
);

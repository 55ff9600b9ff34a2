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
  'What makes a sign-in narrower than its user. A sign-in may be several of these.',
  {
    ANONYMOUS: 'A request without credentials, which acts as the anonymous user.',
    SHARED: 'A user that several people sign in as: the configured guest or the anonymous user.',
    CONFINED: 'A token that is confined to some resources.',
    OUT_OF_SCOPE: 'An access key or a token with scopes, none of which covers the permission.',
  },
);

interface PermissionDefinition extends Requirement {
  readonly name: Permission;
}

const PermissionDefinitionType = builder.objectRef<PermissionDefinition>('PermissionDefinition').implement({
  description: 'A permission that the product knows, and who may use it. Each is also a scope.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'The permission as `noun:verb`, which scopes take. A scope may also be all verbs of a noun, `execution:*`, or a verb of all nouns, `*:read`; reading includes listing.',
    }),
    description: t.string({
      description: 'What it lets its holder do.',
      resolve: ({ name }) => permissionTexts[name],
    }),
    role: t.expose('role', { type: RoleEnum, description: 'The lowest role that may use it.' }),
    level: t.field({
      type: LevelEnum,
      nullable: true,
      description:
        "The level that it takes on the object that a call is about. Null where the call is about no object with grants, or the tenant's creation policy decides.",
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
      'Every permission that there is, for a front end that lets people choose scopes. What you were granted is in `myPermissions`.',
    resolve: () => [...definitions],
  }),
);

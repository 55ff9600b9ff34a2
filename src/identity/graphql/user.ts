import type { User } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';

export const RoleEnum = builder.enumType('Role', {
  description: 'What a user may do in the tenant at large.',
  values: ['ROOT', 'SYSTEM', 'ADMIN', 'SUPERUSER', 'USER', 'ANNOTATOR', 'GUEST'] as const,
});

export const PrincipalType = builder.objectRef<User>('Principal').implement({
  description: 'Who did something: as much of a user as everyone may know who may see what was done.',
  fields: (t) => ({
    id: t.exposeID('id'),
    username: t.exposeString('username'),
    name: t.exposeString('name'),
  }),
});

const UserKind = builder.enumType('UserKind', {
  values: ['PERSON', 'SERVICE_ACCOUNT'] as const,
});

export const UserType = builder.prismaObject('User', {
  description: 'A person or a program that signs in.',
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.field({
      type: UserKind,
      select: { kind: true },
      resolve: (user) => user.kind,
    }),
    username: t.exposeString('username'),
    name: t.exposeString('name'),
    email: t.exposeString('email', { nullable: true }),
    role: t.field({
      type: RoleEnum,
      select: { role: true },
      resolve: (user) => user.role,
    }),
    createdAt: t.field({
      type: 'DateTime',
      select: { createdAt: true },
      resolve: (user) => user.createdAt,
    }),
  }),
});

export const UserByInput = builder.inputType('UserBy', {
  description: 'Which user of your tenant. Names and addresses are compared without regard to case.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), username: t.string(), email: t.string() }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: UserType,
    nullable: true,
    description: 'Who you are.',
    resolve: (_root, _args, context) => context.loaders.user.load(callerOf(context).userId),
  }),
);

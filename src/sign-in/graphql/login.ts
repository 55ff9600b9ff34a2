import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { ResourceTypeEnum } from '../../graphql/resource-type.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { login } from '../commands/login.ts';
import { logout } from '../commands/logout.ts';

const LoginPayload = builder.objectRef<{ token: string; expiresAt: Date }>('LoginPayload').implement({
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'For `Authorization: Bearer`. Shown only here.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Sooner than was asked where the access key, or the time for renewals, ends before.',
      resolve: (payload) => payload.expiresAt,
    }),
  }),
});

const ConfiningResourceInput = builder.inputType('ConfiningResourceInput', {
  description: 'A resource that a token may be used on, with what it holds.',
  fields: (t) => ({
    type: t.field({ type: ResourceTypeEnum, required: true, description: 'Any but TENANT.' }),
    id: t.id({ required: true }),
  }),
});

const LoginInput = builder.inputType('LoginInput', {
  fields: (t) => ({
    expiresIn: t.field({
      type: 'Duration',
      description: 'How long the token lives: a second to 365 days; left out, what the server is set to.',
    }),
    resources: t.field({
      type: [ConfiningResourceInput],
      description:
        'Confines the token to these, 1 to 50, whatever its user may do elsewhere. Left out, to what this very sign-in is confined to; that can be narrowed, and not widened.',
    }),
  }),
});

const LogoutPayload = builder.objectRef<{ ended: boolean }>('LogoutPayload').implement({
  fields: (t) => ({
    ended: t.exposeBoolean('ended', {
      description:
        'Whether a session was ended. A password or an access key signs in anew each time and has none.',
    }),
  }),
});

builder.mutationFields((t) => ({
  login: t.field({
    type: LoginPayload,
    nullable: true,
    description:
      'A new token for the caller, who signs in to this very request with Basic, or with a token, which that renews.',
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: LoginInput }) },
    resolve: (_root, { input }, context) =>
      login(callerOf(context), {
        expiresInMs: input?.expiresIn ?? null,
        resources: input?.resources ?? null,
      }),
  }),
  logout: t.field({
    type: LogoutPayload,
    nullable: true,
    description:
      'Ends the token that the caller signed in with: at once here, within a second on every server. Other tokens and access keys live on.',
    errors: { types: [] },
    resolve: async (_root, _args, context) => ({ ended: await logout(callerOf(context)) }),
  }),
}));

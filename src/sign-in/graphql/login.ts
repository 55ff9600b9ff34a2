import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { ResourceTypeEnum } from '../../graphql/resource-type.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { login } from '../commands/login.ts';
import { logout } from '../commands/logout.ts';

const LoginPayload = builder.objectRef<{ token: string; expiresAt: Date }>('LoginPayload').implement({
  description: 'What `login` answers when it succeeds.',
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'The token, for `Authorization: Bearer`. It is shown only here.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'When the token ends: sooner than you asked where your access key, or the time for renewals, ends before.',
      resolve: (payload) => payload.expiresAt,
    }),
  }),
});

const ConfiningResourceInput = builder.inputType('ConfiningResourceInput', {
  description: 'A resource that a token may be used on, with everything that it holds.',
  fields: (t) => ({
    type: t.field({
      type: ResourceTypeEnum,
      required: true,
      description: 'The kind of resource; TENANT is refused.',
    }),
    id: t.id({ required: true, description: 'The id of the resource.' }),
  }),
});

const LoginInput = builder.inputType('LoginInput', {
  description: 'The token to issue.',
  fields: (t) => ({
    expiresIn: t.field({
      type: 'Duration',
      description: 'How long the token lives: a second to 365 days. Left out: as the server is configured.',
    }),
    resources: t.field({
      type: [ConfiningResourceInput],
      description:
        'Confines the token to these resources, 1 to 50, whatever its user may do elsewhere. Left out: to what this sign-in is confined to, which can be narrowed but not widened.',
    }),
  }),
});

const LogoutPayload = builder.objectRef<{ ended: boolean }>('LogoutPayload').implement({
  description: 'What `logout` answers when it succeeds.',
  fields: (t) => ({
    ended: t.exposeBoolean('ended', {
      description:
        'Whether a session was ended. False when you signed in with a password or an access key, which have no session.',
    }),
  }),
});

builder.mutationFields((t) => ({
  login: t.field({
    type: LoginPayload,
    nullable: true,
    description:
      'Issues a token for you. Sign in to the request with Basic credentials, or with a token, which this renews.',
    errors: { types: [InvalidArgumentError] },
    args: {
      input: t.arg({
        type: LoginInput,
        required: true,
        defaultValue: {},
        description: 'The token to issue. Left out: a token with the defaults.',
      }),
    },
    resolve: (_root, { input }, context) =>
      login(callerOf(context), {
        expiresInMs: input.expiresIn ?? null,
        resources: input.resources ?? null,
      }),
  }),
  logout: t.field({
    type: LogoutPayload,
    nullable: true,
    description:
      'Ends the token that you signed in with: at once on this server, within a second on all. Other tokens and your access keys live on.',
    errors: { types: [] },
    resolve: async (_root, _args, context) => ({ ended: await logout(callerOf(context)) }),
  }),
}));

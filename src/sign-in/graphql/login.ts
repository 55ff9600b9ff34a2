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
        'When the token ends. This is earlier than you asked if your access key ends before, or if the time for renewals is over before.',
      resolve: (payload) => payload.expiresAt,
    }),
  }),
});

const ConfiningResourceInput = builder.inputType('ConfiningResourceInput', {
  description: 'A resource on which a token may be used. Everything in the resource is included.',
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
      description: "How long the token is valid: a second to 365 days. If left out: the server's default.",
    }),
    resources: t.field({
      type: [ConfiningResourceInput],
      description:
        'The only resources on which the token may be used, 1 to 50. If this sign-in is limited to resources, the token cannot have others. If left out: the same limit as this sign-in.',
    }),
  }),
});

const LogoutPayload = builder.objectRef<{ ended: boolean }>('LogoutPayload').implement({
  description: 'What `logout` answers when it succeeds.',
  fields: (t) => ({
    ended: t.exposeBoolean('ended', {
      description:
        'Whether a session was ended. False if you signed in with a password or an access key, which have no session.',
    }),
  }),
});

builder.mutationFields((t) => ({
  login: t.field({
    type: LoginPayload,
    nullable: true,
    description:
      'Issues a token for you. Sign in to this request with `Authorization: Basic`, or with a token that you want to renew.',
    errors: { types: [InvalidArgumentError] },
    args: {
      input: t.arg({
        type: LoginInput,
        required: true,
        defaultValue: {},
        description: 'The token to issue. If left out: a token with the defaults.',
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
      'Ends the token that you signed in with: at once on this server, within a second on the others. Your other tokens and your access keys stay valid.',
    errors: { types: [] },
    resolve: async (_root, _args, context) => ({ ended: await logout(callerOf(context)) }),
  }),
}));

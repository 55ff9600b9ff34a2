import { builder, type Json } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { deleteOAuth2Tokens } from '../commands/delete-oauth2-tokens.ts';
import { flushInactiveOAuth2Tokens } from '../commands/flush-inactive-oauth2-tokens.ts';
import { type AdministratorsIntrospection, introspectToken } from '../introspect-token.ts';
import type { ClientBy } from '../store/clients.ts';
import { OAuth2ClientByInput } from './client.ts';

/** A token that is not valid has no other fields: whoever asks learns nothing else about it. */
type Answer = Partial<AdministratorsIntrospection>;
const instant = (seconds: number | undefined) => (seconds === undefined ? null : new Date(seconds * 1000));

const OAuth2TokenUse = builder.enumType('OAuth2TokenUse', {
  description: 'What a token is for.',
  values: {
    ACCESS_TOKEN: { value: 'access_token', description: 'It gives access to a resource server.' },
    REFRESH_TOKEN: { value: 'refresh_token', description: 'A client gets new access tokens with it.' },
  } as const,
});

const OAuth2TokenIntrospection = builder.objectRef<Answer>('OAuth2TokenIntrospection').implement({
  description:
    'What a token says. If it is not valid, only `active` has a value. Source: RFC 7662, and Hydra.',
  fields: (t) => ({
    active: t.boolean({
      description:
        'Whether the token is valid now, is of a client of your tenant, and has all the scopes that were asked for.',
      resolve: ({ clientId }) => clientId !== undefined,
    }),
    scope: t.string({
      nullable: true,
      description: 'Its scopes, separated by spaces.',
      resolve: ({ scope }) => scope ?? null,
    }),
    clientId: t.string({
      nullable: true,
      description: 'The client id of the client that has it.',
      resolve: ({ clientId }) => clientId ?? null,
    }),
    subject: t.string({
      nullable: true,
      description:
        'The person, as the login app has named her. For a client that acts for itself: its user of Slipway, or its client id.',
      resolve: ({ subject }) => subject ?? null,
    }),
    obfuscatedSubject: t.string({
      nullable: true,
      description:
        'What the client knows the person by, if it has pairwise subjects. Null for all other clients, and for a client that acts for itself.',
      resolve: (token) => token.obfuscatedSubject ?? null,
    }),
    username: t.string({
      nullable: true,
      description: 'The user name, if it is a token for Slipway itself.',
      resolve: ({ username }) => username ?? null,
    }),
    audience: t.stringList({
      description: 'The resource servers that it is for.',
      resolve: ({ audience }) => [...(audience ?? [])],
    }),
    issuer: t.string({
      nullable: true,
      description: 'The address of the server that has issued it.',
      resolve: ({ issuer }) => issuer ?? null,
    }),
    issuedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was issued. It has been valid since then.',
      resolve: ({ issuedAt }) => instant(issuedAt),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it ends.',
      resolve: ({ expiresAt }) => instant(expiresAt),
    }),
    tokenType: t.string({
      nullable: true,
      description:
        'How a client shows it to a resource server: `Bearer` or `DPoP`. Null for a refresh token.',
      resolve: ({ type }) => type ?? null,
    }),
    tokenUse: t.field({
      type: OAuth2TokenUse,
      nullable: true,
      description: 'What it is for.',
      resolve: ({ use }) => use ?? null,
    }),
    keyThumbprint: t.string({
      nullable: true,
      description: 'The thumbprint of the key of the client that it is bound to; null if it is not.',
      resolve: ({ keyThumbprint }) => keyThumbprint ?? null,
    }),
    actor: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'Who acts for the person, after an exchange of tokens: a JSON object with `sub`, and with `act` for who acted before. Null if nobody does. Source: RFC 8693.',
      resolve: ({ actor }) => (actor ?? null) as Json,
    }),
    ext: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The claims that the consent app has added for access tokens, as a JSON object.',
      resolve: ({ clientId, consent }) =>
        clientId === undefined ? null : ((consent?.session.accessToken ?? {}) as Json),
    }),
  }),
});

builder.queryField('introspectOAuth2Token', (t) =>
  t.field({
    type: OAuth2TokenIntrospection,
    nullable: true,
    description:
      'Whether an access token or refresh token of a client of your tenant is valid, and what it says. Requires an administrator. A token that is not valid is no error.',
    args: {
      token: t.arg.string({ required: true, description: 'An access token or a refresh token.' }),
      scopes: t.arg.stringList({ description: 'Scopes that the token must have, all of them.' }),
      tokenTypeHint: t.arg({
        type: OAuth2TokenUse,
        description:
          'What the token probably is. The server looks for all kinds at once, so it finds the token also if this is wrong (RFC 7662 §2.1).',
      }),
    },
    resolve: async (_root, { token, scopes }, context) => {
      const asked = { token, scopes: scopes ?? [] };
      return (await introspectToken(callerOf(context), context.publicUrl, asked)) ?? {};
    },
  }),
);

const FlushInactiveOAuth2TokensInput = builder.inputType('FlushInactiveOAuth2TokensInput', {
  description: 'Which tokens to delete.',
  fields: (t) => ({
    notAfter: t.field({
      type: 'DateTime',
      description: 'Only tokens that were issued before. If it is left out: all that have expired.',
    }),
  }),
});

const DeleteOAuth2TokensInput = builder.inputType('DeleteOAuth2TokensInput', {
  description: 'A client whose access tokens end.',
  fields: (t) => ({
    by: t.field({ type: OAuth2ClientByInput, required: true, description: 'Which client.' }),
  }),
});

const counted = (mutation: string, description: string) =>
  builder
    .objectRef<{ readonly deletedTokens: number }>(
      `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Payload`,
    )
    .implement({
      description: `What \`${mutation}\` answers when it succeeds.`,
      fields: (t) => ({ deletedTokens: t.exposeInt('deletedTokens', { description }) }),
    });

builder.mutationFields((t) => ({
  flushInactiveOAuth2Tokens: t.field({
    type: counted('flushInactiveOAuth2Tokens', 'How many tokens were deleted; 1000 if there may be more.'),
    nullable: true,
    description:
      'Deletes tokens of your tenant that have expired, at most 1000 in one call. Requires an administrator. The scheduler does the same by itself, so nobody has to call this. Tokens that are valid stay.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(FlushInactiveOAuth2TokensInput),
    resolve: async (_root, { input }, context) => ({
      deletedTokens: await flushInactiveOAuth2Tokens(callerOf(context), input.notAfter ?? null),
    }),
  }),
  deleteOAuth2Tokens: t.field({
    type: counted('deleteOAuth2Tokens', 'How many access tokens the client had.'),
    nullable: true,
    description:
      'Ends all access tokens of a client, also those that it has for itself. Requires an administrator. Its refresh tokens stay.',
    errors: { types: [NotFoundError] },
    args: inputOf(DeleteOAuth2TokensInput),
    resolve: async (_root, { input }, context) => {
      const client = await context.loaders.oauth2Client.load(input.by as ClientBy);
      if (!client) throw new NotFoundError('oauth2 client', '', ['input', 'by']);
      return { deletedTokens: await deleteOAuth2Tokens(callerOf(context), client) };
    },
  }),
}));

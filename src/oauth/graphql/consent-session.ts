import { isAllowed } from '../../authorization/can.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { revokeAuthenticationSession } from '../commands/revoke-authentication-session.ts';
import { revokeConsentSessions } from '../commands/revoke-consent-sessions.ts';
import type { ClientRow } from '../store/clients.ts';
import { consentSessionOrder, countConsentSessions, listConsentSessions } from '../store/consent-sessions.ts';
import type { ConsentRow } from '../store/consents.ts';
import { OidcContext } from './challenge.ts';
import { OAuth2ClientType } from './client.ts';

const ConsentClaims = builder.objectRef<ConsentRow['session']>('ConsentClaims').implement({
  description: 'Claims that the consent app has put into tokens.',
  fields: (t) => ({
    accessToken: t.field({
      type: 'JSON',
      description: 'Of access tokens, as a JSON object: introspection shows them as `ext`.',
      resolve: ({ accessToken }) => accessToken as Json,
    }),
    idToken: t.field({
      type: 'JSON',
      description: 'Of ID tokens and the answers about the person, as a JSON object.',
      resolve: ({ idToken }) => idToken as Json,
    }),
  }),
});

const subjectText = 'The person, as the login app names her; for users of Slipway, the id of the user.';
const sessionText = 'The session of the browser, `sid` in tokens.';

async function clientOf({ clientRowId }: ConsentRow, { loaders }: Context): Promise<ClientRow> {
  const client = await loaders.oauth2Client.load({ id: clientRowId });
  // A consent is deleted with its client, which can happen between the two reads.
  if (!client) throw new NotFoundError('oauth2 client', clientRowId);
  return client;
}

const ConsentSessionType = builder.objectRef<ConsentRow>('ConsentSession').implement({
  description: 'What a person has allowed a client in one authorization.',
  fields: (t) => ({
    consentRequestId: t.string({
      description: 'The id of the authorization. The consent request had it, too.',
      resolve: ({ requestId, grantId }) => requestId ?? grantId,
    }),
    subject: t.exposeString('subject', { description: subjectText }),
    clientId: t.string({
      description: 'The client id of the client.',
      resolve: async (consent, _args, context) => (await clientOf(consent, context)).clientId,
    }),
    clientName: t.string({
      description: 'The name of the client; empty if it has none.',
      resolve: async (consent, _args, context) => (await clientOf(consent, context)).name,
    }),
    client: t.field({
      type: OAuth2ClientType,
      nullable: true,
      description: 'The client. Null if you may not read clients.',
      resolve: async (consent, _args, context) =>
        (await isAllowed(callerOf(context), 'oauth2Client:read')) ? await clientOf(consent, context) : null,
    }),
    grantedScopes: t.stringList({
      description: 'The scopes that the person has allowed.',
      resolve: ({ scopes }) => scopes,
    }),
    grantedAudience: t.stringList({
      description: 'The resource servers that the person has allowed.',
      resolve: ({ audience }) => audience,
    }),
    requestedScopes: t.stringList({
      description: 'The scopes that the client had asked for.',
      resolve: ({ request, scopes }) => [...(request?.requestedScopes ?? scopes)],
    }),
    requestedAudience: t.stringList({
      description: 'The resource servers that the client had asked for.',
      resolve: ({ request, audience }) => [...(request?.requestedAudience ?? audience)],
    }),
    session: t.expose('session', {
      type: ConsentClaims,
      description: 'Claims that the consent app has put into tokens.',
    }),
    remember: t.boolean({
      description: 'Whether the client need not ask again.',
      resolve: ({ isRemembered }) => isRemembered,
    }),
    rememberFor: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long this is remembered, from `handledAt` on; null if for ever or not at all.',
      resolve: ({ rememberedUntil, handledAt }) =>
        rememberedUntil && rememberedUntil.getTime() - handledAt.getTime(),
    }),
    handledAt: t.expose('handledAt', { type: 'DateTime', description: 'When the person answered.' }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When the browser came.' }),
    loginSessionId: t.exposeString('loginSessionId', {
      nullable: true,
      description: `${sessionText} Null if the browser had none yet.`,
    }),
    loginChallenge: t.string({
      nullable: true,
      description: 'The challenge of the login before it; null if it was not recorded.',
      resolve: ({ request }) => request?.loginChallenge ?? null,
    }),
    requestUrl: t.string({
      nullable: true,
      description: 'The address with which the browser began; null if it was not recorded.',
      resolve: ({ request }) => request?.requestUrl ?? null,
    }),
    acr: t.string({
      nullable: true,
      description: 'How the person signed in, as the login app said; null if it said nothing.',
      resolve: ({ request }) => request?.acr ?? null,
    }),
    amr: t.stringList({
      description: 'The means by which she signed in, as the login app said.',
      resolve: ({ request }) => [...(request?.amr ?? [])],
    }),
    context: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What the consent app has said as `context`, or else what the login app wanted it to know; null if nothing.',
      resolve: ({ request }) => (request?.context ?? null) as Json | null,
    }),
    oidcContext: t.field({
      type: OidcContext,
      description: 'What the request said about how to sign in.',
      resolve: ({ request }) => request ?? { params: {} },
    }),
  }),
});

const ConsentSessionFilterInput = builder.inputType('ConsentSessionFilterInput', {
  description: 'Which consents to list. All conditions must hold.',
  fields: (t) => ({
    clientId: t.string({ description: 'Only for the client with this client id.' }),
    loginSessionId: t.string({ description: 'Only those given in this session of a browser.' }),
  }),
});

builder.queryFields((t) => ({
  consentSessions: t.connection(
    {
      type: ConsentSessionType,
      description:
        'What a person has allowed clients, the newest request first. Requires an administrator, or that it is about yourself. Authorizations for which nobody was asked are left out, and so are consents that are no longer remembered. An unknown person has an empty list.',
      args: {
        subject: t.arg.string({ required: true, description: subjectText }),
        filter: t.arg({ type: ConsentSessionFilterInput, description: 'Which consents to list.' }),
      },
      resolve: (_root, { subject, filter: given, ...args }, context) => {
        const account = { tenantId: callerOf(context).tenantId, subject };
        const filter = {
          clientId: given?.clientId ?? null,
          loginSessionId: given?.loginSessionId ?? null,
        };
        return pagedList(
          args,
          consentSessionOrder,
          (page) => listConsentSessions(account, filter, page),
          () => countConsentSessions(account, filter),
        );
      },
    },
    connectionType(ConsentSessionType),
  ),
}));

const RevokeConsentSessionsInput = builder.inputType('RevokeConsentSessionsInput', {
  description: 'Which consents to take back. All conditions must hold.',
  fields: (t) => ({
    subject: t.string({ description: `${subjectText} Needs \`clientId\` or \`all\`.` }),
    clientId: t.string({ description: 'Of the client with this client id.' }),
    all: t.boolean({ defaultValue: false, description: 'True: of all clients.' }),
    consentRequestId: t.string({ description: 'Of this authorization alone.' }),
  }),
});

const RevokeAuthenticationSessionInput = builder.inputType('RevokeAuthenticationSessionInput', {
  description: 'Which sessions of browsers to end. All conditions must hold.',
  fields: (t) => ({
    subject: t.string({ description: subjectText }),
    sessionId: t.string({ description: sessionText }),
  }),
});

const RevokeConsentSessionsPayload = builder
  .objectRef<{ readonly revokedConsents: number }>('RevokeConsentSessionsPayload')
  .implement({
    description: 'What `revokeConsentSessions` answers when it succeeds.',
    fields: (t) => ({
      revokedConsents: t.exposeInt('revokedConsents', {
        description: 'How many authorizations have ended. 0 if there was none.',
      }),
    }),
  });

const RevokeAuthenticationSessionPayload = builder
  .objectRef<{ readonly revokedSessions: number }>('RevokeAuthenticationSessionPayload')
  .implement({
    description: 'What `revokeAuthenticationSession` answers when it succeeds.',
    fields: (t) => ({
      revokedSessions: t.exposeInt('revokedSessions', {
        description: 'How many sessions have ended. 0 if there was none.',
      }),
    }),
  });

builder.mutationFields((t) => ({
  revokeConsentSessions: t.field({
    type: RevokeConsentSessionsPayload,
    nullable: true,
    description:
      'Takes back what a person has allowed clients: the consents are deleted, and the tokens of their authorizations end. Requires an administrator, or that `subject` is yourself. Give a subject with a client or with `all`, or a `consentRequestId`.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(RevokeConsentSessionsInput),
    resolve: async (_root, { input }, context) => ({
      revokedConsents: await revokeConsentSessions(callerOf(context), {
        subject: input.subject ?? null,
        clientId: input.clientId ?? null,
        all: input.all ?? false,
        consentRequestId: input.consentRequestId ?? null,
      }),
    }),
  }),
  revokeAuthenticationSession: t.field({
    type: RevokeAuthenticationSessionPayload,
    nullable: true,
    description:
      'Ends sessions of browsers: the person has to sign in again. Requires an administrator, or that `subject` is yourself. Tokens stay valid. With `sessionId`, the clients of the session are told by the back channel.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(RevokeAuthenticationSessionInput),
    resolve: async (_root, { input }, context) => ({
      revokedSessions: await revokeAuthenticationSession(callerOf(context), context.publicUrl, {
        subject: input.subject ?? null,
        sessionId: input.sessionId ?? null,
      }),
    }),
  }),
}));

import { builder, type Json } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { ErrorInterface } from '../../graphql/errors.ts';
import { type Challenge, getChallenge, identityProviderSessionOf } from '../challenge.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { wordsOf } from '../domain/scopes.ts';
import { OAuth2ClientType } from './client.ts';

builder.objectType(ChallengeUsedError, {
  name: 'ChallengeUsedError',
  description: 'Somebody has answered the challenge already, or its browser has come back.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    redirectTo: t.exposeString('redirectTo', { description: 'Where to send the browser instead.' }),
  }),
});

/** Of a request that waits, and of one that was answered. */
interface OidcSource {
  readonly params: Challenge['params'];
  readonly idTokenHintClaims?: Challenge['idTokenHintClaims'];
}

export const OidcContext = builder.objectRef<OidcSource>('OidcContext').implement({
  description: 'What the request says about how to sign in. Source: OpenID Connect Core §3.1.2.1.',
  fields: (t) => {
    const text = (name: string, description: string) =>
      t.string({ nullable: true, description, resolve: ({ params }) => params[name] ?? null });
    const texts = (name: string, description: string) =>
      t.stringList({ description, resolve: ({ params }) => wordsOf(params[name]) });
    return {
      acrValues: texts('acr_values', 'The kinds of sign-in that the client wants, the best first.'),
      uiLocales: texts('ui_locales', 'The languages of the person, the best first.'),
      display: text(
        'display',
        'How pages should look: `page`, `popup`, `touch` or `wap`; null if it is not said.',
      ),
      loginHint: text('login_hint', 'The name that the person may sign in with; null if it is not said.'),
      idTokenHintClaims: t.field({
        type: 'JSON',
        nullable: true,
        description:
          'The claims of the ID token that the client has sent as a hint at the person, as a JSON object; null if it has sent none. The server has issued the token, which may have expired.',
        resolve: ({ idTokenHintClaims }) => (idTokenHintClaims ?? null) as Json | null,
      }),
    };
  },
});

/** Texts that the requests and their answers share. */
export const challengeTexts = {
  challenge: 'The challenge, from the address that the browser was sent to.',
  subject: 'The person, as the login app has named her.',
  asked: 'Requires an access key with the scope `login-app` of a service account with the role SYSTEM.',
} as const;

const AuthorizationRequest = builder.interfaceRef<Challenge>('AuthorizationRequest').implement({
  description: 'A client wants to get tokens, and its browser waits until an app has answered.',
  fields: (t) => ({
    challenge: t.exposeString('challenge', { description: challengeTexts.challenge }),
    requestedScopes: t.stringList({
      description: 'The scopes that the client asks for.',
      resolve: ({ requestedScopes }) => [...requestedScopes],
    }),
    requestedAudience: t.stringList({
      description:
        'The resource servers that the client asks for, with `audience` or with `resource` (RFC 8707).',
      resolve: ({ requestedAudience }) => [...requestedAudience],
    }),
    client: t.field({
      type: OAuth2ClientType,
      description: 'The client that asks.',
      resolve: ({ client }) => client,
    }),
    requestUrl: t.exposeString('requestUrl', {
      description: 'The address with which the browser began, without the ID token in it.',
    }),
    oidcContext: t.field({
      type: OidcContext,
      description: 'What the request says about how to sign in.',
      resolve: (challenge) => challenge,
    }),
    skip: t.exposeBoolean('skip', {
      description: 'True: nobody has to be asked, because a session or an earlier consent is remembered.',
    }),
    subject: t.exposeString('subject', {
      nullable: true,
      description: `${challengeTexts.subject} Null as long as nobody has signed in.`,
    }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When the browser came.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the answer counts.' }),
  }),
});

export const LoginRequestType = builder.objectRef<Challenge>('LoginRequest').implement({
  description: 'A browser waits for a login app to say who uses it.',
  interfaces: [AuthorizationRequest],
  fields: (t) => ({
    skip: t.exposeBoolean('skip', {
      description: 'True: a person has a session. Show nothing, and accept her or reject the request.',
    }),
    subject: t.exposeString('subject', {
      nullable: true,
      description: `${challengeTexts.subject} Null if \`skip\` is false.`,
    }),
    sessionId: t.exposeString('sessionId', {
      nullable: true,
      description:
        'The session that the browser has, or else the one that it will have: `sid` in tokens. If somebody has a session here and another person signs in, hers gets another id. Null only if the request began before an update of the server.',
    }),
    identityProviderSessionId: t.string({
      nullable: true,
      description:
        'If `skip` is true: what the login app has said as `identityProviderSessionId` when the session began. Null if nothing.',
      resolve: ({ skip, session }) => (skip && session ? identityProviderSessionOf(session.uid) : null),
    }),
  }),
});

export const ConsentRequestType = builder.objectRef<Challenge>('ConsentRequest').implement({
  description: 'A browser waits for a consent app to say what its person allows the client.',
  interfaces: [AuthorizationRequest],
  fields: (t) => ({
    consentRequestId: t.exposeString('requestId', {
      description: 'The id of the authorization, for `revokeConsentSessions`.',
    }),
    skip: t.exposeBoolean('skip', {
      description: 'True: the person has allowed all this before, and wants it remembered.',
    }),
    subject: t.exposeString('subject', { nullable: true, description: challengeTexts.subject }),
    loginChallenge: t.string({
      nullable: true,
      description:
        'The challenge of the login before it, which is used. Null only if the login was answered before an update of the server.',
      resolve: ({ login }) => login?.challenge ?? null,
    }),
    loginSessionId: t.string({
      nullable: true,
      description: 'The session of the browser, `sid` in tokens.',
      resolve: ({ sessionId }) => sessionId,
    }),
    acr: t.string({
      nullable: true,
      description: 'How the person signed in, as the login app said; null if it said nothing.',
      resolve: ({ login }) => login?.acr ?? null,
    }),
    amr: t.stringList({
      description: 'The means by which she signed in, as the login app said.',
      resolve: ({ login }) => login?.amr ?? [],
    }),
    context: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What the login app wants the consent app to know; null if nothing.',
      resolve: ({ login }) => (login?.context ?? null) as Json | null,
    }),
  }),
});

const given =
  'Null and NOT_FOUND if there is no such challenge, or if it has expired. If it was used, FAILED_PRECONDITION says in `redirectTo` where to send the browser.';
const { asked, challenge: challengeText } = challengeTexts;

builder.queryFields((t) => ({
  loginRequest: t.field({
    type: LoginRequestType,
    nullable: true,
    description: `What a login app is asked. ${asked} ${given}`,
    args: { challenge: t.arg.string({ required: true, description: challengeText }) },
    resolve: (_root, { challenge }, context) => getChallenge(callerOf(context), 'login', challenge),
  }),
  consentRequest: t.field({
    type: ConsentRequestType,
    nullable: true,
    description: `What a consent app is asked. ${asked} ${given}`,
    args: { challenge: t.arg.string({ required: true, description: challengeText }) },
    resolve: (_root, { challenge }, context) => getChallenge(callerOf(context), 'consent', challenge),
  }),
}));

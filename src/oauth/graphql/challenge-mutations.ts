import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { acceptConsentRequest } from '../commands/accept-consent-request.ts';
import { acceptLoginRequest, type Rejection, rejectRequest } from '../commands/answer-login-request.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { challengeTexts } from './challenge.ts';

const { challenge, asked } = challengeTexts;

const AcceptLoginRequestInput = builder.inputType('AcceptLoginRequestInput', {
  description: 'Who has signed in.',
  fields: (t) => ({
    challenge: t.string({ required: true, description: challenge }),
    subject: t.string({
      required: true,
      description:
        'The person, 1 to 255 characters. If the request can be skipped: the same as in the request.',
    }),
    remember: t.boolean({
      defaultValue: false,
      description: 'Whether the browser stays signed in. A request that was skipped stays remembered.',
    }),
    rememberFor: t.field({
      type: 'Duration',
      description:
        'How long the browser stays signed in, at most as long as the server says. If it is left out or zero: as long as that.',
    }),
    extendSessionLifespan: t.boolean({
      defaultValue: false,
      description: 'Whether a session that is used again lasts as long as if it began now.',
    }),
    acr: t.string({ description: 'How the person signed in, for ID tokens.' }),
    amr: t.stringList({ description: 'The means by which she signed in, for ID tokens.' }),
    identityProviderSessionId: t.string({
      description:
        'What her session at the identity provider behind the login app is known by, at most 255 characters. `logoutRequest` shows it, so that a logout can end that session, too. A request that was skipped keeps what its session has.',
    }),
    forceSubjectIdentifier: t.string({
      description:
        'What the client knows the person by from now on, as `sub`, if it has pairwise subjects: 1 to 255 characters of ASCII that do not begin with `pair-`, and not what it knows somebody else by. If it is left out: what was given at an earlier login, or else what the server makes. ID tokens of earlier sign-ins have it, too, after a refresh. It does nothing for a client with public subjects.',
    }),
    context: t.field({ type: 'JSON', description: 'What the consent app should know.' }),
  }),
});

const ConsentClaimsInput = builder.inputType('ConsentClaimsInput', {
  description: 'Claims for tokens, as JSON objects.',
  fields: (t) => ({
    accessToken: t.field({
      type: 'JSON',
      description: 'For access tokens: introspection shows them as `ext`.',
    }),
    idToken: t.field({ type: 'JSON', description: 'For ID tokens and the answers about the person.' }),
  }),
});

const AcceptConsentRequestInput = builder.inputType('AcceptConsentRequestInput', {
  description: 'What a person has allowed.',
  fields: (t) => ({
    challenge: t.string({ required: true, description: challenge }),
    grantScopes: t.stringList({
      defaultValue: [],
      description: 'The scopes that she has allowed, of those requested.',
    }),
    grantAudience: t.stringList({
      defaultValue: [],
      description: 'The resource servers that she has allowed, of those requested.',
    }),
    remember: t.boolean({ defaultValue: false, description: 'Whether the client need not ask her again.' }),
    rememberFor: t.field({
      type: 'Duration',
      description: 'How long this is remembered. If it is left out or zero: for ever.',
    }),
    session: t.field({ type: ConsentClaimsInput, description: 'Claims for the tokens.' }),
    context: t.field({
      type: 'JSON',
      description:
        'What `consentSessions` should show as `context`. If it is left out: what the login app has said.',
    }),
    handledAt: t.field({
      type: 'DateTime',
      description: 'When she answered. If it is left out, or in the future: now.',
    }),
  }),
});

const rejectInput = (name: string, what: string) =>
  builder.inputType(name, {
    description: `A ${what} that is refused.`,
    fields: (t) => ({
      challenge: t.string({ required: true, description: challenge }),
      error: t.string({ description: 'The error code for the client. If it is left out: `access_denied`.' }),
      errorDescription: t.string({ description: 'What has happened, for the developer of the client.' }),
      errorHint: t.string({ description: 'What to do about it. It is added to the description.' }),
      errorDebug: t.string({ description: "More details, for the server's log only." }),
      statusCode: t.int({
        description:
          "The HTTP status that the error stands for, 400 to 599, for the server's log only: the client is told by a redirect. If it is left out: 400.",
      }),
    }),
  });
const RejectLoginRequestInput = rejectInput('RejectLoginRequestInput', 'login');
const RejectConsentRequestInput = rejectInput('RejectConsentRequestInput', 'consent');

/** The payload of a mutation that only says where to send the browser. */
export const redirecting = (mutation: string) =>
  builder
    .objectRef<{ readonly redirectTo: string }>(
      `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Payload`,
    )
    .implement({
      description: `What \`${mutation}\` answers when it succeeds.`,
      fields: (t) => ({
        redirectTo: t.exposeString('redirectTo', { description: 'Where to send the browser.' }),
      }),
    });

const errors = { types: [InvalidArgumentError, NotFoundError, ChallengeUsedError] };
const secondsOf = (milliseconds: number | null | undefined) => Math.floor((milliseconds ?? 0) / 1000);
/** The command checks whether it is an object. */
type Claims = Readonly<Record<string, unknown>>;
const rejectionOf = (
  input: Pick<Rejection, 'challenge'> & { [Name in keyof Rejection]?: Rejection[Name] | null },
): Rejection => ({
  challenge: input.challenge,
  error: input.error ?? null,
  errorDescription: input.errorDescription ?? null,
  errorHint: input.errorHint ?? null,
  errorDebug: input.errorDebug ?? null,
  statusCode: input.statusCode ?? null,
});

builder.mutationFields((t) => ({
  acceptLoginRequest: t.field({
    type: redirecting('acceptLoginRequest'),
    nullable: true,
    description: `Says who has signed in. ${asked} Only the first answer counts.`,
    errors,
    args: inputOf(AcceptLoginRequestInput),
    resolve: async (_root, { input }, context) => ({
      redirectTo: await acceptLoginRequest(callerOf(context), {
        challenge: input.challenge,
        subject: input.subject,
        remember: input.remember ?? false,
        rememberFor: secondsOf(input.rememberFor),
        extendSessionLifespan: input.extendSessionLifespan ?? false,
        acr: input.acr ?? null,
        amr: input.amr ?? null,
        identityProviderSessionId: input.identityProviderSessionId ?? null,
        forceSubjectIdentifier: input.forceSubjectIdentifier ?? null,
        context: input.context ?? null,
      }),
    }),
  }),
  rejectLoginRequest: t.field({
    type: redirecting('rejectLoginRequest'),
    nullable: true,
    description: `Refuses a login; the client gets the error. ${asked}`,
    errors,
    args: inputOf(RejectLoginRequestInput),
    resolve: async (_root, { input }, context) => ({
      redirectTo: await rejectRequest(callerOf(context), 'login', rejectionOf(input)),
    }),
  }),
  acceptConsentRequest: t.field({
    type: redirecting('acceptConsentRequest'),
    nullable: true,
    description: `Says what a person has allowed a client. ${asked} Only the first answer counts.`,
    errors,
    args: inputOf(AcceptConsentRequestInput),
    resolve: async (_root, { input }, context) => ({
      redirectTo: await acceptConsentRequest(callerOf(context), {
        challenge: input.challenge,
        grantScopes: input.grantScopes ?? [],
        grantAudience: input.grantAudience ?? [],
        remember: input.remember ?? false,
        rememberFor: secondsOf(input.rememberFor),
        session: {
          accessToken: (input.session?.accessToken ?? {}) as Claims,
          idToken: (input.session?.idToken ?? {}) as Claims,
        },
        context: input.context ?? null,
        handledAt: input.handledAt ?? null,
      }),
    }),
  }),
  rejectConsentRequest: t.field({
    type: redirecting('rejectConsentRequest'),
    nullable: true,
    description: `Refuses a consent; the client gets the error. ${asked}`,
    errors,
    args: inputOf(RejectConsentRequestInput),
    resolve: async (_root, { input }, context) => ({
      redirectTo: await rejectRequest(callerOf(context), 'consent', rejectionOf(input)),
    }),
  }),
}));

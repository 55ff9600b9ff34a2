import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { acceptLogoutRequest, rejectLogoutRequest } from '../commands/answer-logout-request.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { getLogoutRequest, type LogoutRequest } from '../logout-request.ts';
import { challengeTexts } from './challenge.ts';
import { redirecting } from './challenge-mutations.ts';
import { OAuth2ClientType } from './client.ts';

const { asked, challenge: challengeText, subject } = challengeTexts;

const LogoutRequestType = builder.objectRef<LogoutRequest>('LogoutRequest').implement({
  description: 'A browser waits for a logout app to say whether its person wants to sign out.',
  fields: (t) => ({
    challenge: t.exposeString('challenge', { description: challengeText }),
    subject: t.exposeString('subject', { description: subject }),
    sessionId: t.exposeString('sessionId', { description: 'The session of the browser, `sid` in tokens.' }),
    identityProviderSessionId: t.exposeString('identityProviderSessionId', {
      nullable: true,
      description:
        'What the login app has said as `identityProviderSessionId` when the session began. Null if nothing.',
    }),
    requestUrl: t.exposeString('requestUrl', {
      description: 'The address with which the browser began, without the ID token in it.',
    }),
    rpInitiated: t.exposeBoolean('rpInitiated', {
      description: 'Whether a client has sent the browser, with an ID token of this session.',
    }),
    client: t.field({
      type: OAuth2ClientType,
      nullable: true,
      description:
        'The client that has sent the browser; null if none has. If its `skipLogoutConsent` is true, the person need not be asked.',
      resolve: ({ client }) => client,
    }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When the browser came.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the answer counts.' }),
  }),
});

builder.queryField('logoutRequest', (t) =>
  t.field({
    type: LogoutRequestType,
    nullable: true,
    description: `What a logout app is asked. ${asked} Null and NOT_FOUND if there is no such challenge, if it has expired, or if it was rejected. If it was used, FAILED_PRECONDITION says in \`redirectTo\` where to send the browser.`,
    args: { challenge: t.arg.string({ required: true, description: challengeText }) },
    resolve: (_root, { challenge }, context) =>
      getLogoutRequest(callerOf(context), context.publicUrl, challenge),
  }),
);

const answerInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({ challenge: t.string({ required: true, description: challengeText }) }),
  });
const AcceptLogoutRequestInput = answerInput('AcceptLogoutRequestInput', 'A logout that is wanted.');
const RejectLogoutRequestInput = answerInput('RejectLogoutRequestInput', 'A logout that is not wanted.');

const RejectLogoutRequestPayload = builder
  .objectRef<{ readonly rejected: boolean }>('RejectLogoutRequestPayload')
  .implement({
    description: 'What `rejectLogoutRequest` answers when it succeeds.',
    fields: (t) => ({
      rejected: t.exposeBoolean('rejected', {
        description: 'True: the person stays signed in. The logout app says where the browser goes.',
      }),
    }),
  });

const errors = { types: [NotFoundError, ChallengeUsedError] };

builder.mutationFields((t) => ({
  acceptLogoutRequest: t.field({
    type: redirecting('acceptLogoutRequest'),
    nullable: true,
    description: `Says that a person wants to sign out. ${asked} Only the first answer counts.`,
    errors,
    args: inputOf(AcceptLogoutRequestInput),
    resolve: async (_root, { input }, context) => ({
      redirectTo: await acceptLogoutRequest(callerOf(context), context.publicUrl, input.challenge),
    }),
  }),
  rejectLogoutRequest: t.field({
    type: RejectLogoutRequestPayload,
    nullable: true,
    description: `Says that a person does not want to sign out. ${asked} The challenge then does not exist any more.`,
    errors,
    args: inputOf(RejectLogoutRequestInput),
    resolve: async (_root, { input }, context) => {
      await rejectLogoutRequest(callerOf(context), context.publicUrl, input.challenge);
      return { rejected: true };
    },
  }),
}));

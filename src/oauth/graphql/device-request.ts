import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { acceptDeviceRequest } from '../commands/accept-device-request.ts';
import { type DeviceRequest, getDeviceRequest, type UserCode } from '../device-request.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { challengeTexts } from './challenge.ts';
import { redirecting } from './challenge-mutations.ts';
import { OAuth2ClientType } from './client.ts';

const { asked, challenge: challengeText } = challengeTexts;
const codeText =
  'The code that the device shows, as the person has entered it. Case and hyphens do not matter.';

const DeviceUserCode = builder.objectRef<UserCode>('DeviceUserCode').implement({
  description: 'What a device has asked for, found by the code that it shows.',
  fields: (t) => ({
    userCode: t.exposeString('userCode', { description: 'The code, in capital letters without hyphens.' }),
    client: t.field({
      type: OAuth2ClientType,
      description: 'The client that runs on the device.',
      resolve: ({ client }) => client,
    }),
    requestedScopes: t.stringList({
      description: 'The scopes that the client asks for.',
      resolve: ({ requestedScopes }) => [...requestedScopes],
    }),
    requestedAudience: t.stringList({
      description:
        'The resource servers that the client asks for, with `audience` or with `resource` (RFC 8707).',
      resolve: ({ requestedAudience }) => [...requestedAudience],
    }),
  }),
});

const DeviceRequestType = builder.objectRef<DeviceRequest>('DeviceRequest').implement({
  description: 'A browser waits for its person to enter the code that a device shows. Source: RFC 8628.',
  fields: (t) => ({
    challenge: t.exposeString('challenge', { description: challengeText }),
    code: t.field({
      type: DeviceUserCode,
      nullable: true,
      description:
        'What the given code belongs to. Null if none was given, or if it does not exist, was used or has expired.',
      resolve: ({ code }) => code,
    }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When the browser came.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the answer counts.' }),
  }),
});

builder.queryField('deviceRequest', (t) =>
  t.field({
    type: DeviceRequestType,
    nullable: true,
    description: `What a device page is asked. ${asked} Null and NOT_FOUND if there is no such challenge, if it has expired, or after ten wrong codes. If it was used, FAILED_PRECONDITION says in \`redirectTo\` where to send the browser.`,
    args: {
      challenge: t.arg.string({ required: true, description: challengeText }),
      userCode: t.arg.string({
        description: `${codeText} Give it to show the person what she is about to allow.`,
      }),
    },
    resolve: (_root, { challenge, userCode }, context) =>
      getDeviceRequest(callerOf(context), context.publicUrl, { challenge, userCode: userCode ?? null }),
  }),
);

const AcceptDeviceRequestInput = builder.inputType('AcceptDeviceRequestInput', {
  description: 'The code that a person has entered.',
  fields: (t) => ({
    challenge: t.string({ required: true, description: challengeText }),
    userCode: t.string({ required: true, description: codeText }),
  }),
});

builder.mutationField('acceptDeviceRequest', (t) =>
  t.field({
    type: redirecting('acceptDeviceRequest'),
    nullable: true,
    description: `Says which code a person has entered. She then signs in and consents. ${asked} Only the first answer counts, and a code works once.`,
    errors: { types: [InvalidArgumentError, NotFoundError, ChallengeUsedError] },
    args: inputOf(AcceptDeviceRequestInput),
    resolve: async (_root, { input }, context) => ({
      redirectTo: await acceptDeviceRequest(callerOf(context), context.publicUrl, input),
    }),
  }),
);

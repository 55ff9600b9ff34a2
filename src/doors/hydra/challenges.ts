import { z } from 'zod';
import type { RequestFieldsFragment } from '../../generated/doors/graphql.ts';
import { type DoorAnswer, type DoorCall, foundOf, payloadOf } from '../door.ts';
import { object, parameter, readBody } from './bodies.ts';
import {
  acceptConsentDocument,
  acceptDeviceDocument,
  acceptLoginDocument,
  acceptLogoutDocument,
  consentRequestDocument,
  loginRequestDocument,
  logoutRequestDocument,
  rejectConsentDocument,
  rejectLoginDocument,
  rejectLogoutDocument,
} from './challenge-documents.ts';
import { clientJson } from './client-json.ts';
import { ofSeconds } from './durations.ts';
import { hydraMembers } from './names.ts';

/**
 * What login, consent, logout and device apps ask, at Hydra's addresses. Members of a body that we do not know are refused, as in Hydra,
 * because an app means something by them. Source: Hydra v26.2, `consent/handler.go`.
 */

type Kind = 'login' | 'consent' | 'logout' | 'device';

const challengeOf = (call: DoorCall, kind: Kind) => parameter(call, `${kind}_challenge`, 'challenge');

/** What login and consent requests share. */
const requestJson = ({
  requestedScopes,
  requestedAudience,
  subject,
  client,
  oidcContext,
  ...rest
}: RequestFieldsFragment) => ({
  ...hydraMembers(rest),
  requested_scope: requestedScopes,
  requested_access_token_audience: requestedAudience,
  subject: subject ?? '',
  client: clientJson(client),
  oidc_context: hydraMembers(oidcContext),
});

export async function getLoginRequest(call: DoorCall): Promise<DoorAnswer> {
  const { found } = await call.ask(loginRequestDocument, { challenge: challengeOf(call, 'login') });
  const request = foundOf(found);
  return { status: 200, body: { ...requestJson(request), session_id: request.sessionId ?? '' } };
}

export async function getConsentRequest(call: DoorCall): Promise<DoorAnswer> {
  const { found } = await call.ask(consentRequestDocument, { challenge: challengeOf(call, 'consent') });
  const { context, ...request } = foundOf(found);
  return { status: 200, body: { ...requestJson(request), context: context ?? {} } };
}

/** Seconds; 0 stands for what the server says. */
const seconds = z.int().min(0).nullish();
const durationOf = (given: number | null | undefined) => (given ? ofSeconds(given) : null);

const acceptLoginType = z.strictObject({
  subject: z.string().min(1, 'must not be empty'),
  remember: z.boolean().nullish(),
  remember_for: seconds,
  acr: z.string().nullish(),
  amr: z.array(z.string()).nullish(),
  context: z.unknown().optional(),
  identity_provider_session_id: z.string().nullish(),
  extend_session_lifespan: z.boolean().nullish(),
  force_subject_identifier: z.string().nullish(),
});

export async function acceptLoginRequest(call: DoorCall): Promise<DoorAnswer> {
  const challenge = challengeOf(call, 'login');
  const {
    subject,
    remember,
    remember_for: rememberFor,
    acr,
    amr,
    context,
    identity_provider_session_id: identityProviderSessionId,
    extend_session_lifespan: extendSessionLifespan,
    force_subject_identifier: forceSubjectIdentifier,
  } = await readBody(call, acceptLoginType);
  const input = {
    ...{ challenge, subject, acr, amr, context, identityProviderSessionId, forceSubjectIdentifier },
    remember: remember ?? false,
    rememberFor: durationOf(rememberFor),
    extendSessionLifespan: extendSessionLifespan ?? false,
  };
  const { result } = await call.ask(acceptLoginDocument, { input });
  return redirecting(payloadOf(result));
}

const acceptConsentType = z.strictObject({
  grant_scope: z.array(z.string()).nullish(),
  grant_access_token_audience: z.array(z.string()).nullish(),
  remember: z.boolean().nullish(),
  remember_for: seconds,
  session: z.strictObject({ access_token: object.nullish(), id_token: object.nullish() }).nullish(),
  context: z.unknown().optional(),
  handled_at: z.string().nullish(),
});

export async function acceptConsentRequest(call: DoorCall): Promise<DoorAnswer> {
  const challenge = challengeOf(call, 'consent');
  const body = await readBody(call, acceptConsentType);
  const input = {
    challenge,
    grantScopes: body.grant_scope ?? [],
    grantAudience: body.grant_access_token_audience ?? [],
    remember: body.remember ?? false,
    rememberFor: durationOf(body.remember_for),
    session: { accessToken: body.session?.access_token, idToken: body.session?.id_token },
    context: body.context,
    handledAt: body.handled_at,
  };
  const { result } = await call.ask(acceptConsentDocument, { input });
  return redirecting(payloadOf(result));
}

const rejectionType = z.strictObject({
  error: z.string().nullish(),
  error_description: z.string().nullish(),
  error_hint: z.string().nullish(),
  error_debug: z.string().nullish(),
  status_code: z.int().nullish(),
});

/** The answer to a rejection, in our names. */
async function rejectionOf(call: DoorCall, kind: 'login' | 'consent') {
  const challenge = challengeOf(call, kind);
  const body = await readBody(call, rejectionType);
  return {
    ...{ challenge, error: body.error, errorDescription: body.error_description },
    ...{ errorHint: body.error_hint, errorDebug: body.error_debug },
    // Go's clients send 0 for none.
    statusCode: body.status_code || null,
  };
}

export async function rejectLoginRequest(call: DoorCall): Promise<DoorAnswer> {
  const { result } = await call.ask(rejectLoginDocument, { input: await rejectionOf(call, 'login') });
  return redirecting(payloadOf(result));
}

export async function rejectConsentRequest(call: DoorCall): Promise<DoorAnswer> {
  const { result } = await call.ask(rejectConsentDocument, { input: await rejectionOf(call, 'consent') });
  return redirecting(payloadOf(result));
}

export async function getLogoutRequest(call: DoorCall): Promise<DoorAnswer> {
  const { found } = await call.ask(logoutRequestDocument, { challenge: challengeOf(call, 'logout') });
  const { client, sessionId, ...request } = foundOf(found);
  return {
    status: 200,
    body: { ...hydraMembers(request), sid: sessionId, client: client && clientJson(client) },
  };
}

export async function acceptLogoutRequest(call: DoorCall): Promise<DoorAnswer> {
  const input = { challenge: challengeOf(call, 'logout') };
  const { result } = await call.ask(acceptLogoutDocument, { input });
  return redirecting(payloadOf(result));
}

export async function rejectLogoutRequest(call: DoorCall): Promise<DoorAnswer> {
  const input = { challenge: challengeOf(call, 'logout') };
  const { result } = await call.ask(rejectLogoutDocument, { input });
  payloadOf(result);
  return { status: 204 };
}

const acceptDeviceType = z.strictObject({ user_code: z.string().min(1, 'must not be empty') });

export async function acceptDeviceRequest(call: DoorCall): Promise<DoorAnswer> {
  const challenge = challengeOf(call, 'device');
  const { user_code: userCode } = await readBody(call, acceptDeviceType);
  const { result } = await call.ask(acceptDeviceDocument, { input: { challenge, userCode } });
  return redirecting(payloadOf(result));
}

const redirecting = ({ redirectTo }: { readonly redirectTo: string }): DoorAnswer => ({
  status: 200,
  body: { redirect_to: redirectTo },
});

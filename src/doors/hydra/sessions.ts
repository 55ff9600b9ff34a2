import type { HydraConsentSessionsQuery } from '../../generated/doors/graphql.ts';
import { parseDuration } from '../../platform/duration.ts';
import { type DoorAnswer, type DoorCall, payloadOf } from '../door.ts';
import { parameter } from './bodies.ts';
import { clientJson } from './client-json.ts';
import { hydraMembers } from './names.ts';
import { listPage } from './pages.ts';
import {
  consentCursorsDocument,
  consentSessionsDocument,
  revokeConsentsDocument,
  revokeLoginDocument,
} from './session-documents.ts';

/**
 * What people have allowed, and their sessions, at Hydra's addresses. Source: Hydra v26.2, `consent/handler.go`.
 */

type Consent = HydraConsentSessionsQuery['list']['edges'][number]['node'];

/** @throws DoorError */
export async function listConsentSessions(call: DoorCall): Promise<DoorAnswer> {
  const subject = parameter(call, 'subject');
  const loginSessionId = call.query.get('login_session_id');
  const filter = loginSessionId ? { loginSessionId } : {};
  return await listPage(call, consentJson, {
    read: (page) => call.ask(consentSessionsDocument, { subject, filter, ...page }),
    skip: (page) => call.ask(consentCursorsDocument, { subject, filter, ...page }),
  });
}

function consentJson({ client, session, rememberFor, ...consent }: Consent): Record<string, unknown> {
  const { context, oidcContext, requestedScopes, requestedAudience, amr } = consent;
  const { acr, loginChallenge, loginSessionId, requestUrl, subject, consentRequestId } = consent;
  return {
    consent_request_id: consentRequestId,
    consent_request: {
      ...hydraMembers({ acr, loginChallenge, loginSessionId, requestUrl, subject, amr, consentRequestId }),
      ...{ challenge: consentRequestId, skip: false, context: context ?? {} },
      ...{ requested_scope: requestedScopes, requested_access_token_audience: requestedAudience },
      oidc_context: hydraMembers(oidcContext),
      ...(client ? { client: clientJson(client) } : {}),
    },
    context: context ?? {},
    grant_scope: consent.grantedScopes,
    grant_access_token_audience: consent.grantedAudience,
    handled_at: consent.handledAt,
    remember: consent.remember,
    remember_for: Math.floor((parseDuration(rememberFor ?? 'PT0S') ?? 0) / 1000),
    session: { access_token: session.accessToken, id_token: session.idToken },
  };
}

export async function revokeConsentSessions({ ask, query }: DoorCall): Promise<DoorAnswer> {
  const given = {
    subject: query.get('subject'),
    clientId: query.get('client'),
    consentRequestId: query.get('consent_request_id'),
  };
  const input = { ...given, all: query.get('all') === 'true' };
  const { result } = await ask(revokeConsentsDocument, { input });
  payloadOf(result);
  return { status: 204 };
}

export async function revokeLoginSessions({ ask, query }: DoorCall): Promise<DoorAnswer> {
  const [subject, sessionId] = [query.get('subject'), query.get('sid')];
  const { result } = await ask(revokeLoginDocument, { input: sessionId ? { sessionId } : { subject } });
  payloadOf(result);
  return { status: 204 };
}

import { formToken, type OpenChallenge, openChallenge, signInAnewUrl } from '../../oauth/built-in-app.ts';
import { acceptConsentRequest } from '../../oauth/commands/accept-consent-request.ts';
import { rejectRequest } from '../../oauth/commands/answer-login-request.ts';
import { accountOf } from '../../oauth/domain/accounts.ts';
import { isConsentNeeded } from '../../oauth/domain/consents.ts';
import { renderConsentPage } from '../../oauth/pages/consent-page.ts';
import type { Principal } from '../../sign-in/principals.ts';
import type { Exchange } from '../exchange.ts';
import { answerPage, answerStale, leadOn, page, redirect, textsOf } from './answer-page.ts';
import { readOurForm } from './form.ts';
import { findPerson } from './person.ts';

/** The built-in page where people say what a client may do for them. */
export const CONSENT_PATH = '/oauth2/consent';

export const answerConsentPage = page(async (exchange) => {
  const opened = await open(exchange, exchange.url.searchParams.get('consent_challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { challenge } = opened;
  const { client, requestedScopes, params } = challenge;
  const redirectUri = params['redirect_uri'] ?? null;
  if (!isConsentNeeded(challenge, redirectUri))
    return redirect(exchange, await accept(opened, { scopes: requestedScopes, remember: false }));
  const person = await personOf(opened);
  const text = renderConsentPage(textsOf(exchange, params['ui_locales']), {
    action: CONSENT_PATH,
    proof: { challenge: challenge.challenge, token: formToken('consent', challenge.challenge) },
    clientName: client.settings.clientName || client.clientId,
    policyUri: client.settings.policyUri,
    termsUri: client.settings.tosUri,
    person: person?.username ?? challenge.subject ?? '',
    otherPersonUrl: signInAnewUrl(challenge),
    scopes: requestedScopes,
    audience: challenge.requestedAudience,
    destination: redirectUri === null ? null : placeOf(redirectUri),
  });
  answerPage(exchange.response, 200, text);
});

export const answerConsentForm = page(async (exchange) => {
  const form = await readOurForm(exchange, 'consent');
  const opened = await open(exchange, form.get('challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { challenge, caller } = opened;
  const texts = textsOf(exchange, challenge.params['ui_locales']);
  if (form.get('answer') === 'reject') {
    const because = {
      errorDescription: 'the person has refused',
      errorHint: null,
      errorDebug: null,
      statusCode: null,
    };
    const rejection = { challenge: challenge.challenge, error: null, ...because };
    return leadOn(exchange, texts, await rejectRequest(caller, 'consent', rejection));
  }
  const remember = form.get('remember') === 'yes';
  leadOn(exchange, texts, await accept(opened, { scopes: form.getAll('scope'), remember }));
});

const open = ({ request, response, signIn: { publicUrl: issuer } }: Exchange, id: string) =>
  openChallenge({ request, response, issuer }, 'consent', id);

function personOf({ challenge: { login, session } }: OpenChallenge): Promise<Principal | null> {
  const { tenantId, subject } = accountOf(login?.accountId ?? session?.accountId ?? '');
  return findPerson(tenantId, subject);
}

/** @returns where to lead the browser. */
async function accept(
  opened: OpenChallenge,
  { scopes, remember }: { readonly scopes: readonly string[]; readonly remember: boolean },
): Promise<string> {
  const { challenge, caller } = opened;
  const person = await personOf(opened);
  const idToken = person && scopes.includes('profile') ? { preferred_username: person.username } : {};
  return await acceptConsentRequest(caller, {
    challenge: challenge.challenge,
    grantScopes: [...new Set(scopes)],
    grantAudience: challenge.requestedAudience,
    remember,
    rememberFor: 0,
    session: { accessToken: {}, idToken },
    handledAt: null,
  });
}

/** Where an address leads, in words: its host, or the application behind a scheme of its own. */
function placeOf(uri: string): string {
  const { protocol, host } = new URL(uri);
  return /^https?:$/.test(protocol) ? host : protocol.slice(0, -1);
}

import { formToken, openLogout } from '../../oauth/built-in-app.ts';
import { acceptLogoutRequest, rejectLogoutRequest } from '../../oauth/commands/answer-logout-request.ts';
import { renderLogoutPage, renderStillSignedInPage } from '../../oauth/pages/logout-page.ts';
import { answerPage, answerStale, leadOn, page, redirect, textsOf } from './answer-page.ts';
import { readOurForm } from './form.ts';
import { findPerson } from './person.ts';

/** The built-in page where people say whether they want to sign out. */
export const LOGOUT_PAGE_PATH = '/oauth2/logout';

export const answerLogoutPage = page(async (exchange) => {
  const { publicUrl } = exchange.signIn;
  const opened = await openLogout(publicUrl, exchange.url.searchParams.get('logout_challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { logout, caller } = opened;
  const { challenge, client } = logout;
  if (logout.rpInitiated && client?.settings.skipLogoutConsent)
    return redirect(exchange, await acceptLogoutRequest(caller, publicUrl, challenge));
  const text = renderLogoutPage(textsOf(exchange), {
    action: LOGOUT_PAGE_PATH,
    proof: { challenge, token: formToken('logout', challenge) },
    clientName: client && (client.settings.clientName || client.clientId),
    // A page of an operator's own knows people by more than their subject.
    person: (await findPerson(caller.tenantId, logout.subject))?.username ?? null,
  });
  answerPage(exchange.response, 200, text);
});

export const answerLogoutForm = page(async (exchange) => {
  const form = await readOurForm(exchange, 'logout');
  const { publicUrl } = exchange.signIn;
  const opened = await openLogout(publicUrl, form.get('challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { logout, caller } = opened;
  const texts = textsOf(exchange);
  if (form.get('answer') === 'accept')
    return leadOn(exchange, texts, await acceptLogoutRequest(caller, publicUrl, logout.challenge));
  await rejectLogoutRequest(caller, publicUrl, logout.challenge);
  answerPage(exchange.response, 200, renderStillSignedInPage(texts));
});

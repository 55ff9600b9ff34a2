import { type OpenChallenge, signInAnewUrl } from '../../oauth/built-in-app.ts';
import { signedInVersion } from '../../oauth/challenge.ts';
import { acceptLoginRequest, rejectRequest } from '../../oauth/commands/answer-login-request.ts';
import { accountOf } from '../../oauth/domain/accounts.ts';
import type { Caller } from '../../platform/caller.ts';
import { isId } from '../../platform/ids.ts';
import { findPrincipal } from '../../sign-in/principals.ts';
import type { Exchange } from '../exchange.ts';
import { answerStale, leadOn, page, redirect, textsOf } from './answer-page.ts';
import { readOurForm } from './form.ts';
import { leadToProvider } from './identity-provider.ts';
import { openLogin, type Problem, problemOf, showLogin, signIn } from './login-form.ts';

export const answerLoginPage = page(async (exchange) => {
  const opened = await openLogin(exchange, exchange.url.searchParams.get('login_challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { challenge } = opened;
  if (challenge.skip) return await goOnWithSession(exchange, opened);
  const username = (challenge.params['login_hint'] ?? '').slice(0, 1024);
  await showLogin(exchange, opened, { username, isRemembered: false, problem: null, status: 200 });
});

export const answerLoginForm = page(async (exchange) => {
  const form = await readOurForm(exchange, 'login');
  const opened = await openLogin(exchange, form.get('challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { challenge, caller: app } = opened;
  const texts = textsOf(exchange, challenge.params['ui_locales']);
  const answer = { challenge: challenge.challenge };
  if (form.get('answer') === 'reject') {
    const because = {
      errorDescription: 'the person has cancelled the sign-in',
      errorHint: null,
      errorDebug: null,
      statusCode: null,
    };
    return leadOn(exchange, texts, await rejectRequest(app, 'login', { ...answer, error: null, ...because }));
  }
  const isRemembered = form.get('remember') === 'yes';
  const username = (form.get('username') ?? '').trim();
  const password = form.get('password') ?? '';
  const again = (problem: Problem) => showLogin(exchange, opened, { username, isRemembered, ...problem });
  const providerId = form.get('provider');
  if (providerId !== null) return await leadToProvider(exchange, opened, { providerId, isRemembered });
  if (username === '' || password === '') return await again({ problem: texts.login.missing, status: 400 });
  let person: Caller;
  try {
    person = await signIn(exchange, opened, { username, password });
  } catch (error) {
    const problem = problemOf(error, texts);
    if (!problem) throw error;
    return await again(problem);
  }
  const { userId: subject, tenantId: subjectTenantId, version: userVersion } = person;
  const how = { remember: isRemembered, rememberFor: 0, acr: null, amr: ['pwd'], context: null };
  const accepted = { ...answer, ...how, subject, subjectTenantId, userVersion };
  leadOn(exchange, texts, await acceptLoginRequest(app, accepted));
});

/**
 * A person who is signed in goes on without a page, if her account is as it was then. Otherwise she signs in anew, for
 * example after a change of her password.
 */
async function goOnWithSession(exchange: Exchange, { challenge, caller: app }: OpenChallenge): Promise<void> {
  const { session, challenge: id } = challenge;
  const { subject, tenantId: subjectTenantId } = accountOf(session?.accountId ?? '');
  const version = session ? await signedInVersion(session.uid) : null;
  const key = { userId: subject, credentialId: null, sessionId: null, version };
  const person = isId(subject) && version !== null ? await findPrincipal(key) : null;
  if (person?.tenantId !== subjectTenantId) return redirect(exchange, signInAnewUrl(challenge));
  const how = { remember: true, rememberFor: 0, acr: null, amr: null, context: null };
  const accepted = { challenge: id, subject, subjectTenantId, userVersion: version, ...how };
  redirect(exchange, await acceptLoginRequest(app, accepted));
}

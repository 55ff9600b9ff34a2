import { newContext } from '../../api/context.ts';
import { requireAllowed } from '../../api/refusals.ts';
import { rules } from '../../api/schema.ts';
import { findTenant } from '../../identity/store/tenants.ts';
import { formToken, type OpenChallenge, openChallenge, signInAnewUrl } from '../../oauth/built-in-app.ts';
import { signedInVersion } from '../../oauth/challenge.ts';
import { acceptLoginRequest, rejectRequest } from '../../oauth/commands/answer-login-request.ts';
import { accountOf } from '../../oauth/domain/accounts.ts';
import { isOwnClient } from '../../oauth/domain/own-clients.ts';
import { renderLoginPage } from '../../oauth/pages/login-page.ts';
import type { PageTexts } from '../../oauth/pages/texts/english.ts';
import type { Caller } from '../../platform/caller.ts';
import {
  PermissionDeniedError,
  ResourceExhaustedError,
  UnauthenticatedError,
} from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { TooManyAttemptsError } from '../../sign-in/attempts.ts';
import { signInToClient } from '../../sign-in/commands/sign-in-to-client.ts';
import { findPrincipal } from '../../sign-in/principals.ts';
import type { Exchange } from '../exchange.ts';
import { answerPage, answerStale, leadOn, page, redirect, textsOf } from './answer-page.ts';
import { readOurForm } from './form.ts';

/** The built-in page where users of Slipway sign in to a client with their user name and password. */
export const LOGIN_PATH = '/oauth2/login';

/** What is wrong, in the language of the page; null the first time. */
interface Problem {
  readonly problem: string | null;
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

interface Shown extends Problem {
  readonly username: string;
  readonly isRemembered: boolean;
}

export const answerLoginPage = page(async (exchange) => {
  const opened = await open(exchange, exchange.url.searchParams.get('login_challenge') ?? '');
  if (!opened) return answerStale(exchange);
  const { challenge } = opened;
  if (challenge.skip) return await goOnWithSession(exchange, opened);
  const username = (challenge.params['login_hint'] ?? '').slice(0, 1024);
  show(exchange, opened, { username, isRemembered: false, problem: null, status: 200 });
});

export const answerLoginForm = page(async (exchange) => {
  const form = await readOurForm(exchange, 'login');
  const opened = await open(exchange, form.get('challenge') ?? '');
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
  const again = (problem: Problem) => show(exchange, opened, { username, isRemembered, ...problem });
  if (username === '' || password === '') return again({ problem: texts.login.missing, status: 400 });
  let person: Caller;
  try {
    person = await signIn(exchange, opened, { username, password });
  } catch (error) {
    const problem = problemOf(error, texts);
    if (!problem) throw error;
    return again(problem);
  }
  const { userId: subject, tenantId: subjectTenantId, version: userVersion } = person;
  const how = { remember: isRemembered, rememberFor: 0, acr: null, amr: ['pwd'], context: null };
  const accepted = { ...answer, ...how, subject, subjectTenantId, userVersion };
  leadOn(exchange, texts, await acceptLoginRequest(app, accepted));
});

const open = ({ request, response, signIn: { publicUrl: issuer } }: Exchange, id: string) =>
  openChallenge({ request, response, issuer }, 'login', id);

function show(exchange: Exchange, { challenge }: OpenChallenge, shown: Shown): void {
  const { challenge: id, client, params } = challenge;
  const { status, retryAfterSeconds, ...fields } = shown;
  const text = renderLoginPage(textsOf(exchange, params['ui_locales']), {
    action: LOGIN_PATH,
    proof: { challenge: id, token: formToken('login', id) },
    clientName: client.settings.clientName || client.clientId,
    ...fields,
  });
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  answerPage(exchange.response, status, text, headers);
}

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

/** @throws UnauthenticatedError also for a user of another tenant, whom the client must not learn about. */
async function signIn(
  { signIn: request, response, requests }: Exchange,
  { challenge: { client } }: OpenChallenge,
  given: { readonly username: string; readonly password: string },
): Promise<Caller> {
  const isForAll = isOwnClient(client.clientId);
  const tenant = isForAll ? null : await findTenant({ id: client.tenantId });
  const isWhole = isForAll || given.username.includes('/');
  const username = isWhole ? given.username : `${tenant?.name}/${given.username}`;
  const caller = await signInToClient(request, { ...given, username }, client.clientId);
  if (!isForAll && caller.tenantId !== client.tenantId) throw new UnauthenticatedError();
  const { publicUrl } = request;
  const context = newContext({ caller, signal: requests.begin(response), publicUrl });
  await requireAllowed(rules.Mutation['login'], context);
  return caller;
}

/** What the page says about an error that the person can do something about; null for other errors. */
function problemOf(error: unknown, { login }: PageTexts): Problem | null {
  if (error instanceof TooManyAttemptsError) {
    const { retryAfterSeconds } = error;
    return { problem: login.tooMany(Math.ceil(retryAfterSeconds / 60)), status: 429, retryAfterSeconds };
  }
  if (error instanceof ResourceExhaustedError) return { problem: login.busy, status: 503 };
  if (error instanceof PermissionDeniedError) return { problem: login.notAllowed, status: 403 };
  if (error instanceof UnauthenticatedError) return { problem: login.wrong, status: 403 };
  return null;
}

import { newContext } from '../../api/context.ts';
import { requireAllowed } from '../../api/refusals.ts';
import { rules } from '../../api/schema.ts';
import { findTenant } from '../../identity/store/tenants.ts';
import { listEnabledProviders } from '../../identity-providers/store/identity-providers.ts';
import { formToken, type OpenChallenge, openChallenge } from '../../oauth/built-in-app.ts';
import { isOwnClient } from '../../oauth/domain/own-clients.ts';
import { renderLoginPage } from '../../oauth/pages/login-page.ts';
import type { PageTexts } from '../../oauth/pages/texts/english.ts';
import type { Caller } from '../../platform/caller.ts';
import {
  PermissionDeniedError,
  ResourceExhaustedError,
  UnauthenticatedError,
} from '../../platform/errors.ts';
import { TooManyAttemptsError } from '../../sign-in/attempts.ts';
import { signInToClient } from '../../sign-in/commands/sign-in-to-client.ts';
import type { Exchange } from '../exchange.ts';
import { answerPage, textsOf } from './answer-page.ts';

/** The built-in page where users of Slipway sign in to a client with their user name and password. */
export const LOGIN_PATH = '/oauth2/login';

/** What is wrong, in the language of the page; null the first time. */
export interface Problem {
  readonly problem: string | null;
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

interface Shown extends Problem {
  readonly username: string;
  readonly isRemembered: boolean;
}

export const openLogin = ({ request, response, signIn: { publicUrl: issuer } }: Exchange, id: string) =>
  openChallenge({ request, response, issuer }, 'login', id);

export async function showLogin(
  exchange: Exchange,
  { challenge }: OpenChallenge,
  shown: Shown,
): Promise<void> {
  const { challenge: id, client, params } = challenge;
  const { status, retryAfterSeconds, ...fields } = shown;
  const providers = await listEnabledProviders(client.tenantId);
  const text = renderLoginPage(textsOf(exchange, params['ui_locales']), {
    action: LOGIN_PATH,
    proof: { challenge: id, token: formToken('login', id) },
    clientName: client.settings.clientName || client.clientId,
    providers,
    ...fields,
  });
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  answerPage(exchange.response, status, text, headers);
}

/** @throws UnauthenticatedError also for a user of another tenant, whom the client must not learn about. */
export async function signIn(
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
  await requireMaySignIn({ signIn: request, response, requests }, caller);
  return caller;
}

/** @throws PermissionDeniedError for a user who may not sign in to applications. */
export async function requireMaySignIn(
  { signIn: { publicUrl }, response, requests }: Pick<Exchange, 'signIn' | 'response' | 'requests'>,
  caller: Caller,
): Promise<void> {
  const context = newContext({ caller, signal: requests.begin(response).signal, publicUrl });
  await requireAllowed(rules.Mutation['login'], context);
}

/** What the page says about an error that the person can do something about; null for other errors. */
export function problemOf(error: unknown, { login }: PageTexts): Problem | null {
  if (error instanceof TooManyAttemptsError) {
    const { retryAfterSeconds } = error;
    return { problem: login.tooMany(Math.ceil(retryAfterSeconds / 60)), status: 429, retryAfterSeconds };
  }
  if (error instanceof ResourceExhaustedError) return { problem: login.busy, status: 503 };
  if (error instanceof PermissionDeniedError) return { problem: login.notAllowed, status: 403 };
  if (error instanceof UnauthenticatedError) return { problem: login.wrong, status: 403 };
  return null;
}

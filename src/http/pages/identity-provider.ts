import { CALLBACK_PATH, redirectUriOf } from '../../identity-providers/callback-path.ts';
import { createIdentityLink } from '../../identity-providers/commands/create-identity-link.ts';
import {
  findOrMakeLink,
  type ProviderSignIn,
  signInByProvider,
} from '../../identity-providers/commands/sign-in-by-provider.ts';
import { type OutsidePerson, outsidePerson } from '../../identity-providers/domain/outside-person.ts';
import {
  openArrival,
  openJourney,
  sealArrival,
  sealJourney,
} from '../../identity-providers/sealed-journey.ts';
import {
  listEnabledProviders,
  type ProviderRow,
  readRulesOf,
} from '../../identity-providers/store/identity-providers.ts';
import { formToken, type OpenChallenge } from '../../oauth/built-in-app.ts';
import { acceptLoginRequest, rejectRequest } from '../../oauth/commands/answer-login-request.ts';
import { wordsOf } from '../../oauth/domain/scopes.ts';
import { renderLinkPage, renderUnknownPersonPage } from '../../oauth/pages/link-page.ts';
import { AlreadyExistsError, PermissionDeniedError, UnavailableError } from '../../platform/errors.ts';
import type { Exchange } from '../exchange.ts';
import { chargeProtocol } from '../protocol-rate.ts';
import { answerPage, answerStale, leadOn, page, textsOf } from './answer-page.ts';
import { readOurForm } from './form.ts';
import { openLogin, problemOf, requireMaySignIn, showLogin, signIn } from './login-form.ts';

/** Signing in at an identity provider, and connecting its accounts with users: see src/identity-providers. */

/** Only servers whose users sign in elsewhere load it. */
const outsideClient = () => import('../../identity-providers/outside-client.ts');

export const LINK_PATH = '/oauth2/login/link';

/** One request to a provider and back: it makes this server send requests, and may store something. */
const COST = 1000;

const textsFor = (exchange: Exchange, { challenge }: OpenChallenge) =>
  textsOf(exchange, challenge.params['ui_locales']);

/** A provider of the client's tenant with which people can sign in now; null if there is none with this id. */
async function findProvider({ challenge }: OpenChallenge, id: string): Promise<ProviderRow | null> {
  const providers = await listEnabledProviders(challenge.client.tenantId);
  return providers.find((provider) => provider.id === id) ?? null;
}

/** Sends a browser to the provider that its person has chosen. */
export async function leadToProvider(
  exchange: Exchange,
  opened: OpenChallenge,
  { providerId, isRemembered }: { readonly providerId: string; readonly isRemembered: boolean },
): Promise<void> {
  chargeProtocol(exchange, COST);
  const provider = await findProvider(opened, providerId);
  if (!provider) return answerStale(exchange);
  const texts = textsFor(exchange, opened);
  const { newProof, signInUrl } = await outsideClient();
  const proof = newProof();
  const { challenge, params } = opened.challenge;
  const isAnew = wordsOf(params['prompt']).includes('login') || params['max_age'] !== undefined;
  const state = sealJourney({ challenge, providerId, isRemembered, ...proof });
  const redirectUri = redirectUriOf(exchange.signIn.publicUrl, provider);
  try {
    leadOn(exchange, texts, await signInUrl(provider, proof, { redirectUri, state, isAnew }));
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    await again(exchange, opened, isRemembered, texts.login.providerSilent(provider.name), 503);
  }
}

const again = (
  exchange: Exchange,
  opened: OpenChallenge,
  isRemembered: boolean,
  problem: string,
  status: number,
): Promise<void> => showLogin(exchange, opened, { username: '', isRemembered, problem, status });

/**
 * A browser that comes back from a provider. Its `state` must be one that we have made for a challenge, and the challenge
 * must be this browser's: so nobody can sign another browser in. Each challenge can be answered once.
 */
export const answerCallback = page(async (exchange) => {
  chargeProtocol(exchange, COST);
  const { url, signIn: request } = exchange;
  const state = url.searchParams.get('state') ?? '';
  const journey = openJourney(state);
  if (!journey || url.pathname !== `${CALLBACK_PATH}${journey.providerId}`) return answerStale(exchange);
  const opened = await openLogin(exchange, journey.challenge);
  const provider = opened && (await findProvider(opened, journey.providerId));
  if (!opened || !provider) return answerStale(exchange);
  const { isRemembered } = journey;
  const { login } = textsFor(exchange, opened);
  if (url.searchParams.has('error'))
    return await again(exchange, opened, isRemembered, login.providerCancelled(provider.name), 403);
  const answer = new URL(`${redirectUriOf(request.publicUrl, provider)}${url.search}`);
  let person: OutsidePerson | null;
  try {
    const { claimsOf } = await outsideClient();
    const claims = await claimsOf(provider, journey, { answer, state });
    person = claims && outsidePerson(claims, provider);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return await again(exchange, opened, isRemembered, login.providerSilent(provider.name), 503);
  }
  if (!person) return await again(exchange, opened, isRemembered, login.providerRefused(provider.name), 403);
  const place = { address: request.address, clientId: opened.challenge.client.clientId };
  const link = await findOrMakeLink(provider, person, place);
  if (!link) return await askForLink(exchange, opened, provider, person, isRemembered);
  const signedIn = await signInByProvider(provider, link, person.groups, place);
  await goOn(exchange, opened, signedIn, { isRemembered, amr: person.amr });
});

/** Leads a browser on whose person is known. */
async function goOn(
  exchange: Exchange,
  opened: OpenChallenge,
  signedIn: ProviderSignIn | null,
  { isRemembered, amr }: { readonly isRemembered: boolean; readonly amr: readonly string[] | null },
): Promise<void> {
  const texts = textsFor(exchange, opened);
  const refuse = () => again(exchange, opened, isRemembered, texts.login.notAllowed, 403);
  if (!signedIn) return await refuse();
  const { caller, linkId } = signedIn;
  try {
    if (caller.isShared) throw new PermissionDeniedError('this account cannot sign in to other applications');
    await requireMaySignIn(exchange, caller);
  } catch (error) {
    if (!(error instanceof PermissionDeniedError)) throw error;
    return await refuse();
  }
  const { userId: subject, tenantId: subjectTenantId, version: userVersion } = caller;
  const { challenge } = opened.challenge;
  const how = { remember: isRemembered, rememberFor: 0, acr: null, amr, context: null };
  const who = { subject, subjectTenantId, userVersion, identityLinkId: linkId };
  leadOn(exchange, texts, await acceptLoginRequest(opened.caller, { challenge, ...who, ...how }));
}

/** The page on which a person who is not known here shows that she is a user. */
async function askForLink(
  exchange: Exchange,
  opened: OpenChallenge,
  provider: ProviderRow,
  person: OutsidePerson,
  isRemembered: boolean,
): Promise<void> {
  const { subject, label, amr, groups } = person;
  if (!provider.linksByPassword) {
    const text = renderUnknownPersonPage(textsFor(exchange, opened), label, provider.name);
    return answerPage(exchange.response, 403, text);
  }
  const { challenge } = opened.challenge;
  // Only the groups that count here, because a provider may name very many.
  const values = new Set((await readRulesOf(provider)).map(({ value }) => value));
  const known = groups.filter((group) => values.has(group));
  const arrival = { challenge, providerId: provider.id, subject, label, amr, isRemembered, groups: known };
  showLink(exchange, opened, provider, { arrival: sealArrival(arrival), account: label });
}

function showLink(
  exchange: Exchange,
  opened: OpenChallenge,
  { name: providerName }: ProviderRow,
  shown: {
    readonly arrival: string;
    readonly account: string;
    readonly username?: string;
    readonly problem?: string;
    readonly status?: number;
    readonly retryAfterSeconds?: number | undefined;
  },
): void {
  const { arrival, account, username = '', problem = null, status = 200, retryAfterSeconds } = shown;
  const { challenge } = opened.challenge;
  const proof = { challenge, token: formToken('link', challenge) };
  const text = renderLinkPage(textsFor(exchange, opened), {
    ...{ action: LINK_PATH, proof, arrival, providerName, account, username, problem },
  });
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  answerPage(exchange.response, status, text, headers);
}

export const answerLinkForm = page(async (exchange) => {
  const form = await readOurForm(exchange, 'link');
  const opened = await openLogin(exchange, form.get('challenge') ?? '');
  const sealed = form.get('arrival') ?? '';
  const arrival = openArrival(sealed);
  if (!opened || arrival?.challenge !== opened.challenge.challenge) return answerStale(exchange);
  const provider = await findProvider(opened, arrival.providerId);
  if (!provider?.linksByPassword) return answerStale(exchange);
  const texts = textsFor(exchange, opened);
  if (form.get('answer') === 'reject') {
    const because = { errorDescription: 'the person has cancelled the sign-in', errorHint: null };
    const rejection = { challenge: arrival.challenge, error: null, errorDebug: null, statusCode: null };
    const answer = { ...rejection, ...because };
    return leadOn(exchange, texts, await rejectRequest(opened.caller, 'login', answer));
  }
  const username = (form.get('username') ?? '').trim();
  const password = form.get('password') ?? '';
  const ask = (problem: string, status: number, retryAfterSeconds?: number) =>
    showLink(exchange, opened, provider, {
      ...{ arrival: sealed, account: arrival.label, username, problem, status, retryAfterSeconds },
    });
  if (username === '' || password === '') return ask(texts.login.missing, 400);
  try {
    const user = await signIn(exchange, opened, { username, password });
    if (user.tenantId !== provider.tenantId) return ask(texts.login.wrong, 403);
    const link = await createIdentityLink(user, provider, user, arrival.subject);
    const place = { address: exchange.signIn.address, clientId: opened.challenge.client.clientId };
    await goOn(exchange, opened, await signInByProvider(provider, link, arrival.groups, place), arrival);
  } catch (error) {
    if (error instanceof AlreadyExistsError) return ask(texts.link.taken, 409);
    const problem = problemOf(error, texts);
    if (!problem) throw error;
    ask(problem.problem ?? '', problem.status, problem.retryAfterSeconds);
  }
});

import { type Interaction, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { serverConfig } from '../../platform/config/server.ts';
import { CALLED } from '../challenge.ts';
import { accountOf } from '../domain/accounts.ts';
import { mayUseSession } from '../domain/own-clients.ts';
import { wordsOf } from '../domain/scopes.ts';
import { subjectFor, subjectsInIdTokens } from '../pairwise-subjects.ts';
import { findRememberedConsent, repeatConsent } from '../store/consents.ts';
import { endGrant } from '../store/records.ts';
import { slipwayOf } from './client-model.ts';
import { RESOURCE } from './resources.ts';

/** What a login app and a consent app are asked, and where. Source: Hydra's login and consent flow. */

const { Check, Prompt } = interactionPolicy;
/** The error for a client that does not want anybody to be asked. */
const LOGIN = 'login_required';

const isAsking = ({ oidc }: KoaContextWithOIDC) => oidc.promptPending('none');

/** Whether the browser has a session that the client may use. */
export function hasSession({ oidc }: KoaContextWithOIDC): boolean {
  const accountId = oidc.session?.accountId;
  const { tenantId } = slipwayOf(oidc.client);
  return (
    accountId !== undefined && mayUseSession({ clientId: oidc.client?.clientId ?? '', tenantId }, accountId)
  );
}

/** When the login app is called. It is called for a session, too, and then has to accept the same person. */
function loginPrompt() {
  const base = interactionPolicy.base().get('login');
  if (!base) throw new Error('the engine has no login prompt');
  const loginResult = ({ oidc }: KoaContextWithOIDC) => oidc.result?.login;
  const accountIdOf = (ctx: KoaContextWithOIDC) =>
    hasSession(ctx) ? (ctx.oidc.session?.accountId ?? null) : null;
  for (const reason of ['no_session', 'id_token_hint', 'claims_id_token_sub_value'])
    base.checks.remove(reason);
  base.checks.add(new Check('no_session', 'nobody has signed in', LOGIN, (ctx) => !hasSession(ctx)), 0);
  base.checks.add(
    new Check('session_is_short', 'the last sign-in is not remembered', LOGIN, (ctx) => {
      return ctx.oidc.session?.transient === true && !loginResult(ctx);
    }),
  );
  base.checks.add(
    new Check('id_token_hint', 'the hint names another person', LOGIN, async (ctx) => {
      const hint = ctx.oidc.entities.IdTokenHint as { payload: { sub?: string } } | undefined;
      if (hint === undefined) return false;
      const accountId = accountIdOf(ctx);
      const known = accountId === null ? [] : await subjectsInIdTokens(slipwayOf(ctx.oidc.client), accountId);
      return !known.includes(hint.payload.sub ?? '');
    }),
  );
  base.checks.add(
    new Check('claims_id_token_sub_value', 'the claims name another person', LOGIN, async (ctx) => {
      const wanted = ctx.oidc.claims.id_token?.['sub'];
      if (wanted?.value === undefined) return false;
      const accountId = accountIdOf(ctx);
      // A client that guesses who somebody is must not learn whether it is right.
      return accountId === null || (await subjectFor(slipwayOf(ctx.oidc.client), accountId)) !== wanted.value;
    }),
  );
  base.checks.add(
    new Check(CALLED, 'the login app is called', LOGIN, (ctx) => !loginResult(ctx) && !isAsking(ctx)),
  );
  return base;
}

/** The consent app is called for each authorization; it learns whether an earlier consent is remembered. */
function consentPrompt() {
  const base = interactionPolicy.base().get('consent');
  if (!base) throw new Error('the engine has no consent prompt');
  base.checks.remove('native_client_prompt');
  base.checks.add(
    new Check('consent_app_called', 'the consent app is called', 'consent_required', (ctx) => {
      return !ctx.oidc.result?.consent && !isAsking(ctx);
    }),
  );
  return base;
}

export function policy() {
  const all = interactionPolicy.base();
  for (const name of ['login', 'consent']) all.remove(name);
  all.add(loginPrompt());
  all.add(consentPrompt());
  all.add(new Prompt({ name: 'registration', requestable: true }), 0);
  return all;
}

/** The page of the login app or consent app, or else our own, with the challenge. */
export function interactionUrl(ctx: KoaContextWithOIDC, { uid, prompt }: Interaction): string {
  const { loginUrl, consentUrl } = serverConfig.oauth;
  const isConsent = prompt.name === 'consent';
  const builtIn = `${ctx.oidc.issuer}/oauth2/${isConsent ? 'consent' : 'login'}`;
  const url = new URL((isConsent ? consentUrl : loginUrl) ?? builtIn);
  url.searchParams.set(isConsent ? 'consent_challenge' : 'login_challenge', uid);
  return url.href;
}

/**
 * The grant of an authorization: the one that the consent app has just given, or, if nobody may be asked, a copy of one
 * that is remembered. Each authorization has a grant of its own, so the misuse of one never ends another.
 */
export async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const { oidc } = ctx;
  const { Grant } = oidc.provider;
  const given = oidc.result?.consent?.grantId;
  if (given) return await Grant.find(given);
  const accountId = oidc.session?.accountId;
  const client = oidc.client;
  if (!isAsking(ctx) || !accountId || !client || !hasSession(ctx)) return undefined;
  const { id: clientRowId, tenantId } = slipwayOf(client);
  const { subject } = accountOf(accountId);
  const scopes = wordsOf(oidc.params?.['scope'] as string | undefined);
  const audience = wordsOf(oidc.params?.['audience'] as string | undefined);
  const earlier = await findRememberedConsent({ clientRowId, subject }, { scopes, audience });
  if (!earlier) return undefined;
  const { session } = earlier;
  const owner = { accountId, clientId: client.clientId, audience };
  const grantId = await saveGrant(oidc.provider, owner, scopes, scopes);
  const isRepeated = await repeatConsent(earlier, {
    ...{ grantId, tenantId, clientRowId, subject, scopes, audience, session },
    ...{ isRepeated: true, isRemembered: false, rememberedUntil: null },
    ...{ requestId: grantId, request: null, requestedAt: new Date(), handledAt: new Date() },
    loginSessionId: oidc.session?.uid ?? null,
  });
  if (isRepeated) return await Grant.find(grantId);
  await endGrant(grantId);
  return undefined;
}

/**
 * Stores what a person has granted. Scopes that were requested and not granted count as declined, because the engine
 * would ask for them again.
 *
 * @returns the id of the grant.
 */
export async function saveGrant(
  provider: Provider,
  owner: { readonly accountId: string; readonly clientId: string; readonly audience: readonly string[] },
  requested: readonly string[],
  granted: readonly string[],
): Promise<string> {
  const { audience, ...names } = owner;
  const grant = Object.assign(new provider.Grant(names), { audience });
  const declined = requested.filter((scope) => !granted.includes(scope));
  if (granted.length > 0) {
    grant.addOIDCScope(granted.join(' '));
    grant.addResourceScope(RESOURCE, granted.join(' '));
  }
  if (declined.length > 0) {
    grant.rejectOIDCScope(declined.join(' '));
    grant.rejectResourceScope(RESOURCE, declined.join(' '));
  }
  return await grant.save();
}

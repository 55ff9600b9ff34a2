import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { serverConfig } from '../../platform/config/server.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { accountOf } from '../domain/accounts.ts';
import { TOKEN_EXCHANGE } from '../domain/client-settings.ts';
import { isScopeAllowed, wordsOf } from '../domain/scopes.ts';
import { isForSlipway } from '../domain/slipway-tokens.ts';
import { exchangedScopes, nextActor, tokenTypeFault } from '../domain/token-exchange.ts';
import { recordIdOf } from '../domain/token-records.ts';
import { addressOf } from '../request-address.ts';
import { recordExchange } from '../token-exchange-audit.ts';
import { grantedAudience } from './audience.ts';
import { slipwayOf } from './client-model.ts';
import { type Introspection, introspect, obfuscatedSubject } from './introspection.ts';
import { issueAccessToken, requireNoProof } from './issue-access-token.ts';
import { requireAllowedScopes } from './scopes.ts';

/**
 * Exchanges an access token of a person for another one: with fewer scopes, for another audience, or for a service that
 * acts for the person. A service can exchange its own tokens, and those that are for it: its client id is one of their
 * audiences. The new token ends with the old one, and also when the old one is revoked or its client is deleted.
 *
 * Tokens for Slipway itself are neither exchanged nor given: a service that was trusted with one of them must not become
 * a user of Slipway by another way.
 *
 * Source: RFC 8693.
 */
export function addTokenExchange(provider: Provider): void {
  const names = ['subject_token', 'actor_token'].flatMap((name) => [name, `${name}_type`]);
  const repeated = ['audience', 'resource'];
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    (ctx) => exchange(provider, ctx),
    [...names, 'requested_token_type', 'scope', ...repeated],
    repeated,
  );
}

type Params = Readonly<Record<string, string | undefined>>;

async function exchange(provider: Provider, ctx: KoaContextWithOIDC): Promise<void> {
  const { client, issuer } = ctx.oidc;
  const params = (ctx.oidc.params ?? {}) as Params;
  requireNoProof(ctx);
  const fault = tokenTypeFault(params);
  if (fault !== null) throw new errors.InvalidRequest(fault);

  const subject = await readSubject(provider, ctx, params['subject_token'] ?? '');
  const actor = await readActor(provider, ctx, params['actor_token']);
  const scopes = scopesFor(ctx, subject);
  const audience = grantedAudience(ctx);
  if (isForSlipway({ scopes, audience }, issuer))
    throw new errors.InvalidTarget('an exchange gives no token for Slipway itself');
  const act = nextActor(subject.actor, actor);
  if (act === 'TOO_MANY') throw new errors.InvalidRequest('too many services act for this person already');

  const subjectToken = recordIdOf(params['subject_token'] ?? '');
  const { accountId } = subject;
  const asked = {
    accountId,
    gty: TOKEN_EXCHANGE,
    scopes,
    expiresInSeconds: serverConfig.oauth.accessTokenSeconds,
    latestEnd: subject.expiresAt,
    subjectToken,
    act: act ?? undefined,
  };
  const answer = await issueAccessToken(ctx, asked).catch((error) => {
    if (isForeignKeyViolation(error)) throw new errors.InvalidRequest('the subject token has ended');
    throw error;
  });
  const { id, tenantId } = slipwayOf(client);
  await recordExchange(
    { tenantId, id, clientId: client?.clientId ?? '', address: addressOf(ctx.req) },
    {
      subject: subject.subject,
      fromClientId: subject.clientId,
      scopes,
      audience,
      actor: act,
      expiresInSeconds: answer.expires_in,
    },
  );
  ctx.body = { ...answer, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
}

/** @throws InvalidRequest, as RFC 8693 §2.2.2 says for a token that cannot be exchanged. */
async function readSubject(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  token: string,
): Promise<Introspection & { readonly accountId: string }> {
  const { client } = ctx.oidc;
  const { tenantId } = slipwayOf(client);
  const found = await introspect(provider, token);
  const clientId = client?.clientId ?? '';
  const isOurs = found?.clientId === clientId || found?.audience.includes(clientId);
  // A client learns nothing about tokens that are neither its own nor for it.
  if (found?.use !== 'access_token' || !isOurs)
    throw new errors.InvalidRequest('the subject token is not valid, or it is not for this client');
  const { accountId } = found;
  if (accountId === null) throw new errors.InvalidRequest('the subject token must be about a person');
  if (accountOf(accountId).tenantId !== tenantId || found.username !== null)
    throw new errors.InvalidRequest('a token for Slipway itself, or of another tenant, cannot be exchanged');
  if (found.keyThumbprint !== null)
    throw new errors.InvalidRequest('a token that is bound to a key cannot be exchanged');
  return { ...found, accountId };
}

/** Who acts for the person: the subject of a token that the client has itself, as the client knows it. @throws InvalidRequest */
async function readActor(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  token: string | undefined,
): Promise<string | null> {
  if (token === undefined) return null;
  const found = await introspect(provider, token);
  const { client } = ctx.oidc;
  if (found?.use !== 'access_token' || found.clientId !== client?.clientId)
    throw new errors.InvalidRequest('the actor token is not a valid access token of this client');
  return (await obfuscatedSubject(client, found)) ?? found.subject;
}

/** @throws InvalidScope for a scope that the client may not have, or that the subject token does not have. */
function scopesFor(ctx: KoaContextWithOIDC, { scope }: Introspection): string[] {
  const { settings } = slipwayOf(ctx.oidc.client);
  const asked = requireAllowedScopes(ctx, ctx.oidc.client);
  const scopes = exchangedScopes(wordsOf(scope), asked, (one) => isScopeAllowed(one, settings.scope));
  const refused = asked.find((one) => !scopes.includes(one));
  if (refused !== undefined)
    throw new errors.InvalidScope('the subject token does not give this scope', refused);
  return scopes;
}

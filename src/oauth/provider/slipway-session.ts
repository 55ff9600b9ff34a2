import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { recordChange } from '../../authorization/audit.ts';
import { isWithinScopes } from '../../authorization/domain/permissions.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import { issueToken, sessionEnd } from '../../sign-in/access-tokens.ts';
import { findCallerOfUser } from '../../sign-in/caller-of-user.ts';
import { findPrincipal, type Principal } from '../../sign-in/principals.ts';
import { accountOf } from '../domain/accounts.ts';
import { wordsOf } from '../domain/scopes.ts';
import { isPairwise } from '../domain/sectors.ts';
import { isForSlipway, limitOf } from '../domain/slipway-tokens.ts';
import { addressOf } from '../request-address.ts';
import { actsAs } from '../store/clients.ts';
import type { EngineToken } from './access-tokens.ts';
import { slipwayOf } from './client-model.ts';

/**
 * An access token for Slipway itself is a token of `sign-in`: with the same claims, signed with the same keys, checked
 * by the same code. So everything that ends a token of `login` ends it, too: a logout, a new password, a disabled user.
 * The record of the engine stands beside it, so that revoking the token, its authorization or its client ends it: see
 * the trigger of `oauth2_records`.
 */
export interface SlipwaySession {
  readonly principal: Principal;
  readonly credentialId: string | null;
  readonly clientId: string;
  /** The key that the token is bound to, by its thumbprint. */
  readonly keyThumbprint: string | null;
  /** The id of the row of a client that acts as its service account; null for all other tokens. */
  readonly serviceClientId: string | null;
  readonly scopes: readonly string[] | null;
  readonly signedInAt: Date;
  /** When the sign-in behind the token ends, however long the token would be valid. */
  readonly endsAt: Date;
  /** The grant type, for the audit log. */
  readonly grant: string;
}

/**
 * The session of a token; null if the token is not for Slipway itself.
 *
 * @param audience  what was granted.
 * @throws InvalidTarget if the subject, or the service account of the client, is not an active user of Slipway, or if
 * the client has pairwise subjects; InvalidGrant if the user has
 * changed the password since the authorization; InvalidScope if an access key does not have the scope.
 */
export async function slipwaySessionOf(
  ctx: KoaContextWithOIDC,
  token: EngineToken,
  audience: readonly string[],
): Promise<SlipwaySession | null> {
  const { accessKey, tenantId, settings, id: clientRowId } = slipwayOf(token.client);
  const scopes = wordsOf(token.scope);
  if (!accessKey && !isForSlipway({ scopes, audience }, ctx.oidc.issuer)) return null;
  const account = token.accountId === undefined ? null : accountOf(token.accountId);
  // The token names the user, and our API does, too.
  if (account && isPairwise(settings))
    throw new errors.InvalidTarget('a client with pairwise subjects gets no tokens for Slipway');
  const home = account?.tenantId ?? tenantId;
  const isServiceClient = !accessKey && !account && settings.serviceAccount !== null;
  const userId = accessKey?.userId ?? account?.subject ?? settings.serviceAccount ?? '';
  const credentialId = accessKey?.credentialId ?? null;
  const principal = isId(userId)
    ? await findPrincipal({ userId, credentialId, sessionId: null, version: null })
    : null;
  if (principal?.tenantId !== home)
    throw new errors.InvalidTarget('the subject is not an active user of Slipway');
  const { userVersion } = (ctx.oidc.entities.Grant ?? {}) as { readonly userVersion?: number };
  if (account && principal.version !== userVersion)
    throw new errors.InvalidGrant('the user has changed since the authorization');
  const limit = limitOf(scopes);
  const refused = limit?.find((scope) => principal.scopes && !isWithinScopes(scope, principal.scopes));
  if (refused !== undefined)
    throw new errors.InvalidScope('the access key does not have this scope', refused);
  const signedInAt = signedInAtOf(ctx);
  const ends = [sessionEnd(signedInAt), principal.credentialExpiresAt];
  return {
    ...{ principal, credentialId, clientId: token.clientId, signedInAt },
    keyThumbprint: token.jkt ?? null,
    serviceClientId: isServiceClient ? clientRowId : null,
    // An access key without wishes gives what it has, which is read with each request.
    scopes: accessKey && scopes.length === 0 ? null : limit,
    endsAt: new Date(Math.min(...ends.flatMap((end) => end?.getTime() ?? []))),
    grant: String(ctx.oidc.params?.['grant_type'] ?? 'implicit'),
  };
}

/** When the person signed in. A client that acts for itself signs in with each request. */
function signedInAtOf({ oidc }: KoaContextWithOIDC): Date {
  const { AuthorizationCode, RefreshToken, DeviceCode } = oidc.entities;
  const source = (RefreshToken ?? AuthorizationCode ?? DeviceCode) as
    | { readonly authTime?: number }
    | undefined;
  const session = oidc.session as { readonly loginTs?: number } | undefined;
  const seconds = source?.authTime ?? session?.loginTs;
  return seconds === undefined ? new Date() : new Date(seconds * 1000);
}

/** Issues the token of a session. */
export async function issueSlipwayToken(
  { principal, credentialId, clientId, keyThumbprint, scopes, signedInAt }: SlipwaySession,
  expiresAt: Date,
): Promise<{ readonly token: string; readonly sessionId: string; readonly userId: string }> {
  const { userId, tenantId, version } = principal;
  const made = await issueToken({
    ...{ userId, tenantId, version, credentialId, clientId, scopes, signedInAt, expiresAt },
    ...{ keyThumbprint, vouchedUntil: null, confinedTo: null, actor: null },
  });
  return { ...made, userId };
}

/** Writes a sign-in to the audit log, as `login` does. */
export async function recordSignIn(
  ctx: KoaContextWithOIDC,
  { principal, credentialId, clientId, serviceClientId, scopes, grant }: SlipwaySession,
  { sessionId, expiresAt }: { readonly sessionId: string; readonly expiresAt: Date },
): Promise<void> {
  const user = await findCallerOfUser(principal.userId);
  if (!user) throw new errors.InvalidTarget('the subject is not an active user of Slipway');
  const caller = { ...user, credentialId, clientId, address: addressOf(ctx.req) };
  const { userId: id, username: name } = principal;
  const after = { method: 'OAUTH2', grant, sessionId, expiresAt, scopes };
  await inTransaction(async (tx) => {
    // An administrator may have changed the client since it was read. From here on, the change ends this token, too.
    if (serviceClientId !== null && !(await actsAs(tx, serviceClientId, id)))
      throw new errors.InvalidTarget('the client does not act as this service account any more');
    await recordChange(tx, caller, { action: 'session:login', target: { type: 'user', id, name }, after });
  });
}

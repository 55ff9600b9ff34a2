import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { DEVICE_CODE } from '../domain/client-settings.ts';

/** Refusals that the specifications ask for, and the engine does not have or names otherwise. */

const MIN_STATE = 8;

/**
 * A page of an attacker can make a browser send a request, or an answer to a request of the attacker. PKCE protects the
 * client, and so does a `state` that cannot be guessed.
 *
 * @throws InvalidRequest for a request that has neither. Source: RFC 9700 §2.1, and Hydra's least length of `state`.
 */
export function requireForgeryProtection({ oidc }: KoaContextWithOIDC): void {
  // A device sends its request itself.
  if (oidc.route === 'device_authorization') return;
  const { code_challenge: challenge, state } = (oidc.params ?? {}) as Readonly<Record<string, string>>;
  if (!challenge && (state ?? '').length < MIN_STATE)
    throw new errors.InvalidRequest(`state must have at least ${MIN_STATE} characters, or PKCE must be used`);
}

/**
 * A client can revoke its own tokens only, and is told so. Source: RFC 7009 §2.1.
 *
 * @throws UnauthorizedClient for the token of another client.
 */
export async function requireOwnToken(
  _ctx: unknown,
  client: { readonly clientId: string },
  token: { readonly clientId?: string | undefined },
): Promise<true> {
  if (token.clientId === client.clientId) return true;
  throw new errors.UnauthorizedClient('the token was issued to another client');
}

interface ClientModel {
  grantTypeAllowed(type: string): boolean;
  responseTypeAllowed(type: string): boolean;
}

const NO_AUTHENTICATION = 'no client authentication mechanism provided';

/** Where the engine says `invalid_request`, the errors of RFC 6749 §4.1.2.1 and §5.2 are these. */
export function nameRefusals(provider: Provider): void {
  const client = provider.Client.prototype as unknown as ClientModel;
  const { grantTypeAllowed, responseTypeAllowed } = client;
  const unauthorized = (type: string) =>
    new errors.UnauthorizedClient(`${type} is not allowed for this client`);
  client.grantTypeAllowed = function (type) {
    const isAllowed = grantTypeAllowed.call(this, type);
    const { route, params } = Provider.ctx?.oidc ?? {};
    const isAsked =
      route === 'device_authorization' ? DEVICE_CODE : route === 'token' && params?.['grant_type'];
    if (!isAllowed && isAsked === type) throw unauthorized(type);
    return isAllowed;
  };
  client.responseTypeAllowed = function (type) {
    if (!responseTypeAllowed.call(this, type)) throw unauthorized(type);
    return true;
  };
  provider.use(async (ctx, next) => {
    await next();
    const { error_description: why } = (ctx.body ?? {}) as { readonly error_description?: string };
    if (why !== NO_AUTHENTICATION) return;
    ctx.status = 401;
    ctx.set('WWW-Authenticate', `Basic realm="${provider.issuer}"`);
    ctx.body = { error: 'invalid_client', error_description: why };
  });
}

import type { Provider } from 'oidc-provider';
import internalsOf from 'oidc-provider/lib/helpers/weak_cache.js';
import { serverConfig } from '../../platform/config/server.ts';
import { currentNonce, isNonce } from '../../sign-in/proofs/nonces.ts';

/** DPoP at the endpoints of the engine. The secret switches nonces on; `shareNonces` takes its place. */
export const dPoP = {
  enabled: true,
  nonceSecret: Buffer.alloc(32),
  requireNonce: () => serverConfig.oauth.dpopNonceRequired,
};

/**
 * Gives the engine the nonces that we take with access tokens, too. Its own ones come from one secret, so servers would
 * refuse each other's while a secret is replaced.
 */
export function shareNonces(provider: Provider): void {
  const internals = internalsOf(provider);
  if (!internals.DPoPNonces) throw new Error('the protocol engine has no nonces that could be replaced');
  internals.DPoPNonces = { nextChallenge: currentNonce, checkChallenge: isNonce };
}

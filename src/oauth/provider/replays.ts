import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { insertRecordOnce } from '../store/records.ts';
import { slipwayOf } from './client-model.ts';

/** What a client signs to prove who it is, and may use once: client assertions, and proofs of DPoP. */

/** A client assertion is for the request that it comes with. One that is valid for long would be stored for long. */
const MAX_ASSERTION_SECONDS = 3600;

/**
 * Remembers that a client has used a JWT, until the JWT expires.
 *
 * @param expiresAt  in seconds.
 * @returns false if the client has used it before.
 */
export async function isFirstUse(
  client: unknown,
  {
    clientId,
    jti,
    expiresAt,
  }: { readonly clientId: string; readonly jti: string; readonly expiresAt: number },
): Promise<boolean> {
  const { id, tenantId, accessKey } = slipwayOf(client);
  return await insertRecordOnce({
    ...{ kind: 'ReplayDetection', id: JSON.stringify([clientId, jti]), tenantId },
    clientRowId: accessKey ? null : id,
    ...{ accountId: null, grantId: null, uid: null, sessionId: null, userId: null, payload: {} },
    expiresInSeconds: Math.max(1, expiresAt - Math.floor(Date.now() / 1000)),
  });
}

/** The engine looks first and stores then, so two requests at the same time could use the same JWT. */
export function detectReplays(provider: Provider): void {
  Object.assign(provider.ReplayDetection, {
    unique: async (clientId: string, jti: string, expiresAt: number) => {
      const client = await provider.Client.find(clientId);
      return client !== undefined && (await isFirstUse(client, { clientId, jti, expiresAt }));
    },
  });
}

/** @throws InvalidClientAuth if the assertion is valid for too long. Source: RFC 7523 §3, item 4. */
export async function requireShortAssertion(
  _ctx: KoaContextWithOIDC,
  { exp }: { readonly exp?: unknown },
): Promise<void> {
  if (typeof exp !== 'number' || exp > Date.now() / 1000 + MAX_ASSERTION_SECONDS)
    throw new errors.InvalidClientAuth(
      `a client assertion must expire within ${MAX_ASSERTION_SECONDS} seconds`,
    );
}

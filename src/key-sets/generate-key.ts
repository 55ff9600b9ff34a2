import { exportJWK, generateKeyPair, generateSecret, type JWK } from 'jose';
import { newId } from '../platform/ids.ts';
import { algorithmOf, type KeyUse, RSA_BITS } from './domain/algorithms.ts';
import { type KeyParts, publicPartOf } from './domain/imported-keys.ts';

/**
 * Makes a key. Call it outside of a transaction, because an RSA key takes up to some seconds.
 *
 * @param kid  null for a UUIDv7.
 */
export async function generateKey(
  { alg, use }: { readonly alg: string; readonly use: KeyUse },
  kid: string | null = null,
): Promise<KeyParts & { readonly privateJwk: JWK }> {
  const algorithm = algorithmOf(alg);
  if (!algorithm) throw new Error(`there are no keys of ${alg}`);
  const made =
    algorithm.kty === 'oct'
      ? await generateSecret(alg, { extractable: true })
      : (
          await generateKeyPair(alg, {
            extractable: true,
            modulusLength: RSA_BITS,
            ...(algorithm.crv ? { crv: algorithm.crv } : {}),
          })
        ).privateKey;
  const named = { kid: kid ?? newId(), alg, use };
  const privateJwk = { ...(await exportJWK(made)), ...named };
  return { ...named, publicJwk: publicPartOf(privateJwk), privateJwk };
}

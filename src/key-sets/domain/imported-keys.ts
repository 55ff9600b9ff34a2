import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';
import type { Problem } from '../../platform/errors.ts';
import { type Algorithm, algorithmOf, type KeyUse, LEAST_RSA_BITS } from './algorithms.ts';
import { textFault } from './key-sets.ts';

/** The members of a JWK that are secret. Source: RFC 7518 §6. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** The members that a public key consists of. */
const publicMembers: Readonly<Record<Algorithm['kty'], readonly (keyof JWK)[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  oct: [],
};
const MAX_JWK = 16_384;

/** A key as it is stored: its public part, and the whole key if it has a private part. */
export interface KeyParts {
  readonly kid: string;
  readonly alg: string;
  readonly use: KeyUse;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK | null;
}

export const publicPartOf = (jwk: JWK): JWK =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => !privateMembers.includes(member)));

/**
 * A JWK that an operator brings: public or with its private part. The problems name the member.
 *
 * @param path  of the JWK in the input.
 */
export function readImportedKey(value: unknown, path: readonly string[]): KeyParts | Problem[] {
  const fault = (member: string | null, message: string): Problem[] => [
    { path: member === null ? path : [...path, member], code: 'InvalidValue', message },
  ];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fault(null, 'must be a JSON Web Key, which is a JSON object');
  if (JSON.stringify(value).length > MAX_JWK) return fault(null, `must have at most ${MAX_JWK} characters`);
  const jwk = value as Record<string, unknown>;
  const { kid, alg, use = 'sig' } = jwk;
  if (typeof kid !== 'string' || textFault(kid)) return fault('kid', 'missing kid, or one that is too long');
  const algorithm = typeof alg === 'string' ? algorithmOf(alg) : undefined;
  if (!algorithm || typeof alg !== 'string') return fault('alg', 'missing alg, or one that is not supported');
  if (use !== algorithm.use) return fault('use', `keys of ${alg} are for ${algorithm.use}`);
  if (jwk['kty'] !== algorithm.kty) return fault('kty', `keys of ${alg} have the kty ${algorithm.kty}`);
  if (algorithm.crv && jwk['crv'] !== algorithm.crv)
    return fault('crv', `keys of ${alg} have the crv ${algorithm.crv}`);
  const key = { ...jwk, kid, alg, use } as JWK;
  const wrong = materialFault(key, algorithm);
  if (wrong) return fault(null, wrong);
  const isPrivate = privateMembers.some((member) => jwk[member] !== undefined);
  return { kid, alg, use: algorithm.use, publicJwk: publicPartOf(key), privateJwk: isPrivate ? key : null };
}

/** Why the numbers of a JWK are no key; null if they are one. */
function materialFault(jwk: JWK, { kty, leastBytes = 0 }: Algorithm): string | null {
  if (kty === 'oct') {
    const bytes = typeof jwk.k === 'string' ? Buffer.from(jwk.k, 'base64url').length : 0;
    return bytes >= leastBytes ? null : `the secret k must have at least ${leastBytes} bytes`;
  }
  try {
    const format = 'jwk' as const;
    const isPrivate = jwk.d !== undefined;
    const publicKey = createPublicKey({ key: publicPartOf(jwk), format });
    if (kty === 'RSA' && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS)
      return `RSA keys must have at least ${LEAST_RSA_BITS} bits`;
    if (!isPrivate) return null;
    const derived: JWK = createPublicKey(createPrivateKey({ key: jwk, format })).export({ format });
    const isPair = publicMembers[kty].every((member) => derived[member] === jwk[member]);
    return isPair ? null : 'the private part belongs to another public key';
  } catch {
    return `this is not a valid ${kty} key`;
  }
}

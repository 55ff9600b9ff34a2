/** What a key is for: signatures, or encryption. The values of `use` in a JWK. */
export type KeyUse = 'sig' | 'enc';

/** What a JWK of an algorithm must look like. */
export interface Algorithm {
  readonly use: KeyUse;
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'oct';
  /** The curve of EC and OKP keys. */
  readonly crv?: string;
  /** The least length of a secret key. */
  readonly leastBytes?: number;
}

/** New RSA keys have this length. Shorter imported ones are refused below `LEAST_RSA_BITS`. */
export const RSA_BITS = 3072;
export const LEAST_RSA_BITS = 2048;

const rsa = { kty: 'RSA', use: 'sig' } as const;
const ec = (crv: string) => ({ kty: 'EC', use: 'sig', crv }) as const;
const secret = (leastBytes: number) => ({ kty: 'oct', use: 'sig', leastBytes }) as const;

/** The algorithms that a key can be made for. Source: RFC 7518 §3.1 and §4.1, RFC 8037. */
const algorithms = new Map<string, Algorithm>(
  Object.entries({
    RS256: rsa,
    RS384: rsa,
    RS512: rsa,
    PS256: rsa,
    PS384: rsa,
    PS512: rsa,
    ES256: ec('P-256'),
    ES384: ec('P-384'),
    ES512: ec('P-521'),
    EdDSA: { kty: 'OKP', use: 'sig', crv: 'Ed25519' },
    HS256: secret(32),
    HS384: secret(48),
    HS512: secret(64),
    'RSA-OAEP': { kty: 'RSA', use: 'enc' },
    'RSA-OAEP-256': { kty: 'RSA', use: 'enc' },
    'ECDH-ES': { kty: 'EC', use: 'enc', crv: 'P-256' },
    'ECDH-ES+A256KW': { kty: 'EC', use: 'enc', crv: 'P-256' },
  } satisfies Record<string, Algorithm>),
);

/** Undefined for an algorithm that we do not make keys for. */
export const algorithmOf = (alg: string): Algorithm | undefined => algorithms.get(alg);

export const algorithmNames = (use: KeyUse): string[] =>
  [...algorithms].filter(([, algorithm]) => algorithm.use === use).map(([name]) => name);

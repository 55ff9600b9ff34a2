import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import pg from 'pg';

/**
 * What all peers have: the same pool and the same planning as Slipway, and its tokens. A token is verified once and
 * then known until it expires, as Slipway does it.
 */

interface Settings {
  readonly databaseUrl: string;
  readonly jwks: { readonly keys: readonly (JsonWebKey & { readonly kid: string })[] };
  readonly poolSize: number;
}

export const settings = JSON.parse(process.env['BENCH_SETTINGS'] ?? '{}') as Settings;

const PLANNING = '-c enable_seqscan=off -c jit=off -c timezone=UTC';

pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, toRfc3339);

export const poolOptions: pg.PoolConfig = {
  connectionString: settings.databaseUrl,
  max: settings.poolSize,
  idleTimeoutMillis: 0,
  options: PLANNING,
};

/** `2026-11-28 17:05:51.12+00` of PostgreSQL as `2026-11-28T17:05:51.120Z`. */
export function toRfc3339(text: string): string {
  const end = text.length - 3;
  const fraction = text.slice(20, end).padEnd(3, '0');
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`;
}

export interface Claims {
  readonly userId: string;
  readonly tenantId: string;
  /** The version of the user when the token was issued. */
  readonly version: number;
  readonly expiresAt: number;
}

const keys = new Map<string, KeyObject>(
  (settings.jwks?.keys ?? []).map((jwk) => [jwk.kid, createPublicKey({ key: jwk as never, format: 'jwk' })]),
);
const MAX_KNOWN = 10_000;
const known = new Map<string, Claims>();

/** The claims of a bearer token; null for one that does not hold. */
export function claimsOf(authorization: string | undefined): Claims | null {
  if (authorization === undefined) return null;
  const claims = known.get(authorization) ?? verified(authorization);
  return claims !== null && claims.expiresAt > Date.now() ? claims : null;
}

function verified(authorization: string): Claims | null {
  const [, head = '', body = '', signature = ''] =
    /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization) ?? [];
  if (signature === '') return null;
  const { kid, alg } = partOf(head);
  const key = keys.get(String(kid));
  if (key === undefined || alg !== 'EdDSA') return null;
  if (!verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) return null;
  const { sub, tenant, ver, exp, iss, aud } = partOf(body);
  if (iss !== 'slipway' || aud !== 'slipway') return null;
  const claims: Claims = {
    userId: String(sub),
    tenantId: String(tenant),
    version: Number(ver),
    expiresAt: Number(exp) * 1000,
  };
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(authorization, claims);
  return claims;
}

const partOf = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

interface Place {
  readonly port: number;
  readonly path?: string;
  /** The documents of the bench in the words of this server, if it has others. */
  readonly documents?: readonly (readonly [string, string])[];
}

/** Says where the server is, and stops it when its parent does. */
export function announce({ port, path = '/graphql', documents }: Place): void {
  process.send?.({ url: `http://127.0.0.1:${port}${path}`, documents });
  process.once('disconnect', () => process.exit(0));
}

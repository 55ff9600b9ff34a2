import { decodeJwt, decodeProtectedHeader, importJWK, type JWK, type JWTPayload, jwtVerify } from 'jose';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { JwtGrantIssuer } from '../../generated/prisma/client.ts';
import { accountIdOf } from '../domain/accounts.ts';
import { JWT_BEARER } from '../domain/client-settings.ts';
import { isForSlipway } from '../domain/slipway-tokens.ts';
import { listTrusts } from '../store/jwt-grant-issuers.ts';
import { grantedAudience } from './audience.ts';
import { slipwayOf } from './client-model.ts';
import { issueAccessToken, requireNoProof } from './issue-access-token.ts';
import { isFirstUse } from './replays.ts';
import { RESOURCE } from './resources.ts';
import { requireAllowedScopes } from './scopes.ts';

/** How long a JWT may still be valid, because it is remembered for so long. Source: Hydra's `oauth2.grant.jwt.max_ttl`. */
const MAX_SECONDS = 720 * 3600;

/** A JWT that an issuer has signed whom the tenant of the client trusts. */
interface Assertion {
  readonly issuer: string;
  readonly subject: string;
  readonly jti: string;
  /** In seconds since 1970. */
  readonly expiresAt: number;
  readonly trusts: readonly JwtGrantIssuer[];
}

interface Grant {
  audience?: readonly string[];
  addResourceScope(resource: string, scope: string): void;
  save(): Promise<string>;
}

/**
 * Exchanges a JWT of a trusted issuer for an access token of the person whom it names. It is never a token for Slipway
 * itself: an administrator who trusts an issuer must not become somebody with more rights.
 *
 * Source: RFC 7523 §2.1 and §3.
 */
export function addJwtBearer(provider: Provider): void {
  const params = ['assertion', 'scope', 'audience', 'resource'];
  provider.registerGrantType(JWT_BEARER, (ctx) => exchange(provider, ctx), params, ['resource']);
}

async function exchange(provider: Provider, ctx: KoaContextWithOIDC): Promise<void> {
  const { client, issuer, params } = ctx.oidc;
  requireNoProof(ctx);
  const { tenantId } = slipwayOf(client);
  const { trusts, ...assertion } = await readAssertion(tenantId, issuer, params?.['assertion']);
  const scopes = requireAllowedScopes(ctx, client);
  const allowed = trusts.flatMap((trust) => trust.scopes);
  const refused = scopes.find((scope) => !allowed.includes(scope));
  if (refused !== undefined)
    throw new errors.InvalidScope('the issuer is not trusted with this scope', refused);
  const audience = grantedAudience(ctx);
  if (isForSlipway({ scopes, audience }, issuer))
    throw new errors.InvalidTarget('a JWT of another issuer gives no token for Slipway itself');
  const { issuer: clientId, jti, expiresAt } = assertion;
  if (!(await isFirstUse(client, { clientId, jti, expiresAt })))
    throw new errors.InvalidGrant('the assertion was used already');

  const accountId = accountIdOf({ tenantId, subject: assertion.subject });
  const grant = new provider.Grant({ accountId, clientId: client?.clientId ?? '' }) as unknown as Grant;
  grant.audience = audience;
  grant.addResourceScope(RESOURCE, scopes.join(' '));
  const grantId = await grant.save();
  ctx.oidc.entity('Grant', grant as never);
  ctx.body = await issueAccessToken(ctx, { accountId, grantId, gty: JWT_BEARER, scopes });
}

/** @throws InvalidRequest without a JWT; InvalidGrant if the JWT is not valid, or not signed with a trusted key. */
async function readAssertion(tenantId: string, audience: string, given: unknown): Promise<Assertion> {
  if (typeof given !== 'string' || given === '') throw new errors.InvalidRequest('assertion is missing');
  const { kid, iss, sub } = namesOf(given);
  if (typeof kid !== 'string' || typeof iss !== 'string' || typeof sub !== 'string' || sub === '')
    throw new errors.InvalidGrant('the assertion must have a kid, an iss and a sub');
  // The issuer may be trusted for this subject and for all, perhaps with two keys of one id.
  const known = await listTrusts(tenantId, { issuer: iss, kid, subject: sub });
  const answers = await Promise.all(known.map((trust) => verify(given, trust, audience)));
  const trusts = known.filter((_trust, index) => answers[index]?.payload);
  const payload = answers.find((answer) => answer.payload)?.payload;
  if (!payload)
    throw new errors.InvalidGrant(
      answers[0]?.fault ?? 'the key of the issuer is not trusted for this subject',
    );
  const { jti, exp = 0 } = payload;
  if (typeof jti !== 'string' || jti === '') throw new errors.InvalidGrant('the assertion must have a jti');
  if (exp > Date.now() / 1000 + MAX_SECONDS)
    throw new errors.InvalidGrant(`the assertion must be valid for at most ${MAX_SECONDS} seconds`);
  return { issuer: iss, subject: sub, jti, expiresAt: exp, trusts };
}

function namesOf(assertion: string) {
  try {
    const { iss, sub } = decodeJwt(assertion);
    return { kid: decodeProtectedHeader(assertion).kid, iss, sub };
  } catch {
    throw new errors.InvalidGrant('the assertion is not a JWT');
  }
}

async function verify(
  assertion: string,
  trust: JwtGrantIssuer,
  audience: string,
): Promise<{ readonly payload?: JWTPayload; readonly fault?: string }> {
  const jwk = trust.publicJwk as unknown as JWK & { readonly alg: string };
  try {
    const { payload } = await jwtVerify(assertion, await importJWK(jwk, jwk.alg), {
      ...{ algorithms: [jwk.alg], issuer: trust.issuer, requiredClaims: ['exp', 'iat', 'aud'] },
      audience: [audience, `${audience}/oauth2/token`],
    });
    return { payload };
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    return { fault: `the assertion is not valid: ${why}` };
  }
}

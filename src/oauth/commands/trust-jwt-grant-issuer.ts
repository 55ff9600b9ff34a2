import { recordChange } from '../../authorization/audit.ts';
import type { JwtGrantIssuer } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError } from '../../platform/errors.ts';
import { type JwtGrantTrustRequest, readTrust } from '../domain/jwt-grant-issuers.ts';
import { insertJwtGrantIssuer, removeJwtGrantIssuer } from '../store/jwt-grant-issuers.ts';

/**
 * Lets the clients of the tenant exchange JWTs of an issuer for tokens.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if this key of the issuer is trusted for the subject
 * already. Source: Hydra's trustJwtGrantIssuer.
 */
export async function trustJwtGrantIssuer(
  caller: Caller,
  request: JwtGrantTrustRequest,
): Promise<JwtGrantIssuer> {
  const trust = readTrust(request, new Date());
  try {
    return await inTransaction(async (tx) => {
      const row = await insertJwtGrantIssuer(tx, caller.tenantId, trust);
      const { publicJwk: _key, ...after } = trust;
      await recordChange(tx, caller, {
        action: 'oauth2Client:administer',
        target: { type: 'jwt grant issuer', id: row.id, name: row.issuer },
        after,
      });
      return row;
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AlreadyExistsError('this key of the issuer is trusted for the subject already', {
      path: ['input', 'jwk', 'kid'],
    });
  }
}

/**
 * Ends the trust in an issuer. Tokens that were issued stay valid.
 *
 * @returns false if there is no such trust, which is not an error. Source: Hydra's deleteJwtGrantIssuer.
 */
export async function deleteJwtGrantIssuer(caller: Caller, id: string): Promise<boolean> {
  return await inTransaction(async (tx) => {
    const row = await removeJwtGrantIssuer(tx, caller.tenantId, id);
    if (!row) return false;
    const { issuer, subject, kid, scopes } = row;
    await recordChange(tx, caller, {
      action: 'oauth2Client:administer',
      target: { type: 'jwt grant issuer', id, name: issuer },
      before: { issuer, subject: subject || null, kid, scopes },
    });
    return true;
  });
}

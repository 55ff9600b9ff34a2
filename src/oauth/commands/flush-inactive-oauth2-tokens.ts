import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { flushExpiredTokens } from '../store/token-records.ts';

/**
 * Deletes tokens of the tenant that have expired, at most 1000.
 *
 * @param notAfter  only tokens that were issued before; null for all.
 * @returns how many it has deleted.
 * @throws InvalidArgumentError for a time in the future. Source: Hydra's flushInactiveOAuth2Tokens.
 */
export async function flushInactiveOAuth2Tokens(
  { tenantId }: Caller,
  notAfter: Date | null,
): Promise<number> {
  const now = new Date();
  if (notAfter && notAfter > now)
    throw InvalidArgumentError.of(['input', 'notAfter'], 'must not be in the future');
  return await flushExpiredTokens(tenantId, notAfter ?? now);
}

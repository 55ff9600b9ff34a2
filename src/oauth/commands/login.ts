import type { Caller } from '../../platform/caller.ts';
import { config } from '../../platform/config.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { issueToken } from '../access-tokens.ts';

const MAX_SECONDS = 31_536_000;

/**
 * A token for whoever the request was signed in as, with the same credential behind it.
 *
 * @param expiresInMs  null for the server's default.
 * @throws InvalidArgumentError for less than a second or more than a year. Source: ClearML's auth.login, but a
 * negative length is refused.
 */
export async function login(
  caller: Caller,
  expiresInMs: number | null,
): Promise<{ token: string; expiresAt: Date }> {
  const seconds = expiresInMs === null ? config.tokenSeconds : Math.floor(expiresInMs / 1000);
  if (seconds < 1 || seconds > MAX_SECONDS)
    throw InvalidArgumentError.of(['input', 'expiresIn'], 'a token lives from a second to 365 days');
  const { userId, tenantId, version, credentialId } = caller;
  const issued = await issueToken({ userId, tenantId, version, credentialId }, seconds);
  caller.log.info({ credentialId }, 'signed in');
  return issued;
}

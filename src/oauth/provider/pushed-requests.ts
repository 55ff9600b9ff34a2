import { serverConfig } from '../../platform/config/server.ts';
import { arePushedRequestsMany } from '../store/pushed-requests.ts';
import type { SlipwayClient } from './client-model.ts';
import { tooManyRequests } from './too-many-requests.ts';

/** Most browsers come soon after their request was pushed. */
const RETRY_AFTER_SECONDS = 60;

/**
 * A pushed request may be long, and is kept for as long as its person may take to sign in. So a client can have a
 * limited number of them that are not used yet.
 *
 * @throws TemporarilyUnavailable, with HTTP status 429. Source: RFC 9126 §2.3.
 */
export async function requireFewPushedRequests(slipway: SlipwayClient): Promise<void> {
  const limit = serverConfig.oauth.pushedRequests;
  if (await arePushedRequestsMany(slipway.id, limit))
    throw tooManyRequests(
      `the client has ${limit} pushed requests that are not used yet`,
      RETRY_AFTER_SECONDS,
    );
}

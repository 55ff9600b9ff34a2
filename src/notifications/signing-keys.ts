import { signaturesOfAll } from '../platform/secrets.ts';

/**
 * The keys that sign the webhooks of a project. They are derived from SLIPWAY_SECRETS, one for each secret, so nothing
 * is stored and replacing a secret breaks no receiver. Each project has its own keys: a receiver cannot forge the
 * notifications of other projects.
 */
export const webhookSigningKeys = (projectId: string): readonly string[] =>
  signaturesOfAll('webhook', projectId).map((key) => `whsec_${key}`);

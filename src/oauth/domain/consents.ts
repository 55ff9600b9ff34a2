import { isLocal } from './client-uris.ts';

interface Asked {
  /** Whether the person has allowed all this before, and wants it remembered. */
  readonly skip: boolean;
  readonly client: {
    readonly settings: { readonly skipConsent: boolean; readonly tokenEndpointAuthMethod: string };
  };
}

/**
 * Whether a person must be asked. A device has no redirect URI; its person is always asked, because somebody else may
 * have sent her the code. A public client cannot show that it is itself, so it is trusted only where its answer
 * goes to an address that no other program can take. Source: Hydra, and RFC 8252 §8.6.
 */
export function isConsentNeeded({ skip, client: { settings } }: Asked, redirectUri: string | null): boolean {
  if (redirectUri === null || (!skip && !settings.skipConsent)) return true;
  if (settings.tokenEndpointAuthMethod !== 'none') return false;
  const { protocol, hostname } = new URL(redirectUri);
  return !(protocol === 'https:' || (protocol === 'http:' && isLocal(hostname)));
}

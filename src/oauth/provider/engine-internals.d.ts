/** What we change inside of oidc-provider, whose version is pinned. */
declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  import type { Provider } from 'oidc-provider';

  interface Internals {
    DPoPNonces?: { nextChallenge(): string; checkChallenge(nonce: string): boolean };
  }
  export default function internalsOf(provider: Provider): Internals;
}

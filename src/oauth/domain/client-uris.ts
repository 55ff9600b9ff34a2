/** The checks of the addresses in the settings of a client. Each answers what is wrong; null if nothing is. */

const MAX_URI = 2048;
/** Schemes that make a browser run or show what the address contains. */
const forbiddenSchemes = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'file:', 'about:']);
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

export const isLocal = (hostname: string) => loopbackHosts.has(hostname) || hostname.endsWith('.localhost');

/** A URL that a browser can open. */
export function webUriFault(uri: string): string | null {
  const url = uri.length <= MAX_URI && URL.canParse(uri) ? new URL(uri) : null;
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be a URL that begins with http:// or https://';
  return url.username || url.password ? 'must not contain a user name or a password' : null;
}

/**
 * Where the answers of a sign-in may go: `https`, `http` on this machine only, or a scheme of an application. There are
 * no wildcards. Source: RFC 8252 §7 and RFC 9700 §2.1.
 */
export function redirectUriFault(uri: string): string | null {
  if (uri.length > MAX_URI || !URL.canParse(uri)) return 'must be an absolute URI';
  if (uri.includes('#')) return 'must not contain a fragment';
  if (uri.includes('*')) return 'must not contain a wildcard';
  const { protocol, hostname, username, password } = new URL(uri);
  if (forbiddenSchemes.has(protocol)) return `must not have the scheme ${protocol.slice(0, -1)}`;
  if (username || password) return 'must not contain a user name or a password';
  return protocol === 'http:' && !isLocal(hostname)
    ? 'must begin with https://, unless the address is on the same machine'
    : null;
}

/**
 * Why a redirect URI does not go together with the others of its client. An application on the user's machine has no
 * certificate for that machine, and tokens in the address of a page need one. Source: OpenID Connect Dynamic Client
 * Registration §2, `application_type`.
 */
export function redirectUriConflict(
  uri: string,
  { redirectUris, isImplicit }: { readonly redirectUris: readonly string[]; readonly isImplicit: boolean },
): string | null {
  // Other checks report what is not a URI at all.
  if (!URL.canParse(uri)) return null;
  const { protocol, hostname } = new URL(uri);
  if (isNative(redirectUris.filter((one) => URL.canParse(one)))) {
    if (protocol === 'https:' && loopbackHosts.has(hostname))
      return 'must not be https on this machine beside the redirect URI of an application on it';
    if (protocol === 'http:' && !loopbackHosts.has(hostname))
      return 'must be localhost, 127.0.0.1 or [::1] beside the redirect URI of an application on this machine';
    return null;
  }
  if (isImplicit && (protocol === 'http:' || hostname === 'localhost'))
    return 'must be https on another machine for the grant type implicit';
  return null;
}

/** Where a browser is led after a logout: at one of the origins of the redirect URIs. */
export function postLogoutUriFault(uri: string, redirectUris: readonly string[]): string | null {
  const fault = redirectUriFault(uri);
  if (fault) return fault;
  const originOf = (one: string) => {
    const { protocol, host } = new URL(one);
    return `${protocol}//${host}`;
  };
  const origins = redirectUris.filter((one) => URL.canParse(one)).map(originOf);
  return origins.includes(originOf(uri))
    ? null
    : 'must have the scheme, host and port of one of the redirect URIs';
}

/** The origin of a page: scheme, host and port, and nothing else. */
export function originFault(uri: string): string | null {
  return (
    webUriFault(uri) ?? (new URL(uri).origin === uri ? null : 'must consist of scheme, host and port only')
  );
}

/**
 * Whether the redirect URIs are those of an application on the user's machine: it has a scheme of its own, or listens
 * on a loopback address, where its port is free.
 */
export const isNative = (redirectUris: readonly string[]): boolean =>
  redirectUris.some((uri) => {
    const { protocol, hostname } = new URL(uri);
    return protocol === 'http:' ? loopbackHosts.has(hostname) : protocol !== 'https:';
  });

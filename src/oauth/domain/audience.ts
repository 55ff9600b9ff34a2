/**
 * Whether a client may ask for tokens for an audience: it has the scheme and the host of one of the client's audiences,
 * and the same path or one below. Source: Hydra's audience strategy.
 */
export const isAudienceAllowed = (audience: string, allowed: readonly string[]): boolean =>
  allowed.some((one) => one === audience || contains(one, audience));

function contains(allowed: string, audience: string): boolean {
  if (!URL.canParse(allowed) || !URL.canParse(audience)) return false;
  const [outer, inner] = [new URL(allowed), new URL(audience)];
  if (outer.protocol !== inner.protocol || outer.host !== inner.host) return false;
  if (inner.username || inner.password || inner.hash) return false;
  const folder = outer.pathname.replace(/\/*$/, '/');
  return `${inner.pathname}/`.startsWith(folder);
}

/** Whether a text can name a resource server: an absolute URI without a fragment. Source: RFC 8707 §2. */
export const isResource = (text: unknown): text is string =>
  typeof text === 'string' && /^[\x21-\x7e]+$/.test(text) && !text.includes('#') && URL.canParse(text);

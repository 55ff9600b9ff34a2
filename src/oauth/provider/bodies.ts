import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { recordIdOf } from '../domain/token-records.ts';

type Context = KoaContextWithOIDC['oidc'];
interface Body {
  readonly [name: string]: unknown;
  token?: unknown;
}

/** The endpoints that are about a token in their form. */
const routes: readonly unknown[] = ['introspection', 'revocation'];

/**
 * Looks at each body that the engine has read:
 * - A body that was not in UTF-8 is refused. The engine has replaced its bytes by U+FFFD, so a body with this character
 *   is refused as well.
 * - A token that is a JWT is replaced by the id of its record, because the engine refuses JWTs at these endpoints.
 */
export function adaptBodies(provider: Provider): void {
  const bodies = new WeakMap<Context, Body>();
  const { OIDCContext } = provider as unknown as { readonly OIDCContext: { readonly prototype: Context } };
  Object.defineProperty(OIDCContext.prototype, 'body', {
    get(this: Context) {
      return bodies.get(this);
    },
    set(this: Context, body: Body) {
      if (hasReplacement(body)) throw new TypeError('the body is not in UTF-8');
      const { token } = body;
      if (routes.includes(this.route)) body.token = Array.isArray(token) ? token.map(idOf) : idOf(token);
      bodies.set(this, body);
    },
  });
}

function hasReplacement(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\uFFFD');
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (hasReplacement(name) || hasReplacement(Reflect.get(value, name))) return true;
  return false;
}

const idOf = (token: unknown): unknown => (typeof token === 'string' ? recordIdOf(token) : token);

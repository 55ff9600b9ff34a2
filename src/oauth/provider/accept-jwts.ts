import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { recordIdOf } from '../domain/token-records.ts';

type Context = KoaContextWithOIDC['oidc'];
interface Form {
  readonly [name: string]: unknown;
  token?: unknown;
}

/** The endpoints that are about a token in their form. */
const routes: readonly unknown[] = ['introspection', 'revocation'];

/** Lets these endpoints find tokens that are JWTs, which the engine refuses: it reads the id of the record instead. */
export function acceptJwts(provider: Provider): void {
  const forms = new WeakMap<Context, Form>();
  const { OIDCContext } = provider as unknown as { readonly OIDCContext: { readonly prototype: Context } };
  Object.defineProperty(OIDCContext.prototype, 'body', {
    get(this: Context) {
      return forms.get(this);
    },
    set(this: Context, form: Form) {
      const { token } = form;
      if (routes.includes(this.route)) form.token = Array.isArray(token) ? token.map(idOf) : idOf(token);
      forms.set(this, form);
    },
  });
}

const idOf = (token: unknown): unknown => (typeof token === 'string' ? recordIdOf(token) : token);

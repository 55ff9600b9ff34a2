import { errors, type KoaContextWithOIDC, Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { audienceOf, requireAllowedAudience } from './audience.ts';
import { isRedemption, namedResources, noteResources } from './resources.ts';

type Names = string | readonly string[] | ReadonlySet<string>;

/** An engine whose grants, its own and ours, take the resources of RFC 8707 as an audience. */
export class ResourceProvider extends Provider {
  /** The engine calls this for its own grants, too. */
  override registerGrantType<Params extends object>(
    name: string,
    handler: (ctx: TokenEndpointGrantContext<Params>) => Promise<void> | void,
    params?: Names,
    repeated?: Names,
  ): void {
    const withResources: typeof handler = (ctx) => {
      noteResources(ctx);
      return handler(ctx);
    };
    super.registerGrantType<Params>(name, withResources, params, repeated);
  }
}

interface GrantModel {
  find(id: string, options?: object): Promise<object | undefined>;
}

/**
 * A client can narrow the audience of what it redeems, and never widen it. The engine looks for the authorization before
 * it uses up a code or a refresh token, so a wrong request costs the client neither.
 */
export function limitResources(provider: Provider): void {
  const Grant = provider.Grant as unknown as GrantModel;
  const { find } = Grant;
  Grant.find = async function (this: unknown, id, options) {
    const grant = await find.call(this as GrantModel, id, options);
    const ctx = Provider.ctx as KoaContextWithOIDC | undefined;
    if (grant && ctx && isRedemption(ctx)) requireGranted(ctx, audienceOf(grant));
    return grant;
  };
}

/** @throws InvalidTarget for a resource server that was not granted, or that the client may not have now. */
function requireGranted(ctx: KoaContextWithOIDC, granted: readonly string[]): void {
  requireAllowedAudience(ctx.oidc.client, granted);
  if (!namedResources(ctx).every((resource) => granted.includes(resource)))
    throw new errors.InvalidTarget('the authorization is not for this resource');
}

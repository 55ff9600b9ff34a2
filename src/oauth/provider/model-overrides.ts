import { Provider } from 'oidc-provider';
import { accountOf } from '../domain/accounts.ts';

interface Overrides {
  isSecret(client: unknown, secret: string): Promise<boolean>;
  readonly sessionSeconds: number;
  /** The claims that the consent app has added for the ID tokens of an authorization. */
  idTokenClaims(grantId: string): Promise<Readonly<Record<string, unknown>>>;
}

/** The parts of the engine's models that we replace. Its types do not have all of them. */
interface SessionModel {
  uid: string;
  accountId?: string;
  transient?: boolean | undefined;
  rememberedUntil?: number | undefined;
  userVersion?: number | undefined;
  identityLinkId?: string | undefined;
  sidFor(clientId: string, value?: string): string | undefined;
}

interface LoginResult {
  readonly remember?: boolean;
  /** In seconds; 0 for as long as the server says. */
  readonly rememberFor?: number;
  readonly isSkipped?: boolean;
  readonly isExtended?: boolean;
  readonly userVersion?: number;
  readonly identityLinkId?: string | undefined;
}

/** These claims are the engine's, whatever a consent app says. */
const protocolClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'auth_time', 'acr', 'amr', 'azp', 'sid'];

/** Changes the models of one provider. They are made for each provider, so nothing is shared. */
export function overrideModels(provider: Provider, overrides: Overrides): void {
  const { isSecret, sessionSeconds, idTokenClaims } = overrides;
  Object.assign(provider.Client.prototype, {
    compareClientSecret(secret: string) {
      return isSecret(this, secret);
    },
    includeSid: () => true,
  });

  const Session = provider.Session as unknown as { IN_PAYLOAD: string[]; prototype: SessionModel };
  const { loginAccount } = Session.prototype as unknown as { loginAccount(details: object): void };
  const stored = [...Session.IN_PAYLOAD, 'rememberedUntil', 'userVersion', 'identityLinkId'];
  Object.defineProperty(Session, 'IN_PAYLOAD', { get: () => stored });
  Object.assign(Session.prototype, {
    /** All clients know a session by the same id. */
    ensureClientContainer(this: SessionModel, clientId: string) {
      if (!this.sidFor(clientId)) this.sidFor(clientId, this.uid);
    },
    loginAccount(this: SessionModel, details: object) {
      const login = (Provider.ctx?.oidc.entities.Interaction?.result?.login ?? {}) as LoginResult;
      loginAccount.call(this, details);
      // The engine never takes `transient` back.
      this.transient = login.remember === false ? true : undefined;
      if (login.isSkipped && !login.isExtended) return;
      const seconds = Math.min(login.rememberFor || sessionSeconds, sessionSeconds);
      if (!login.isSkipped)
        Object.assign(this, { userVersion: login.userVersion, identityLinkId: login.identityLinkId });
      this.rememberedUntil = Math.floor(Date.now() / 1000) + seconds;
    },
  });

  const IdToken = provider.IdToken as unknown as {
    prototype: { payload(): Promise<Record<string, unknown>> };
  };
  const { payload } = IdToken.prototype;
  IdToken.prototype.payload = async function (this: object) {
    const claims = await payload.call(this);
    const grantId = Provider.ctx?.oidc.entities.Grant?.jti;
    const added = Object.entries(grantId ? await idTokenClaims(grantId) : {}).filter(
      ([name]) => !protocolClaims.includes(name) && !/_hash$/.test(name),
    );
    const { sub, ...others } = claims as { readonly sub: string };
    // A logout token names the session, and not the person. Source: Hydra.
    if ('events' in others) return others;
    return { ...Object.fromEntries(added), ...claims, sub: accountOf(sub).subject };
  };
}

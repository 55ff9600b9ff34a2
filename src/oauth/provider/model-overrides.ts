import { randomBytes } from 'node:crypto';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { subjectFor } from '../pairwise-subjects.ts';
import { slipwayOf } from './client-model.ts';
import { hasSession } from './interactions.ts';
import { storeAlso } from './store-also.ts';

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
  identityProviderSessionId?: string | undefined;
  sidFor(clientId: string, value?: string): string | undefined;
}

interface InteractionModel {
  newSessionUid?: string;
  readonly result?: { readonly login?: LoginResult };
  save(ttl: number): Promise<string>;
}

interface LoginResult {
  readonly remember?: boolean;
  /** In seconds; 0 for as long as the server says. */
  readonly rememberFor?: number;
  readonly isSkipped?: boolean;
  readonly isExtended?: boolean;
  readonly userVersion?: number;
  readonly identityLinkId?: string | undefined;
  readonly identityProviderSessionId?: string;
}

/** These claims are the engine's, whatever a consent app says. */
const protocolClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'auth_time', 'acr', 'amr', 'azp', 'sid'];

const newUid = () => randomBytes(16).toString('base64url');

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
  storeAlso(Session, 'rememberedUntil', 'userVersion', 'identityLinkId', 'identityProviderSessionId');
  Object.assign(Session.prototype, {
    /** All clients know a session by the same id. */
    ensureClientContainer(this: SessionModel, clientId: string) {
      if (!this.sidFor(clientId)) this.sidFor(clientId, this.uid);
    },
    loginAccount(this: SessionModel, details: object) {
      const interaction = Provider.ctx?.oidc.entities.Interaction as unknown as InteractionModel | undefined;
      const login: LoginResult = interaction?.result?.login ?? {};
      if (this.accountId === undefined && interaction?.newSessionUid) this.uid = interaction.newSessionUid;
      loginAccount.call(this, details);
      // The engine never takes `transient` back.
      this.transient = login.remember === false ? true : undefined;
      if (login.isSkipped && !login.isExtended) return;
      const seconds = Math.min(login.rememberFor || sessionSeconds, sessionSeconds);
      if (!login.isSkipped) {
        this.userVersion = login.userVersion;
        this.identityLinkId = login.identityLinkId;
        this.identityProviderSessionId = login.identityProviderSessionId;
      }
      this.rememberedUntil = Math.floor(Date.now() / 1000) + seconds;
    },
  });

  const Interaction = provider.Interaction as unknown as {
    IN_PAYLOAD: string[];
    prototype: InteractionModel;
  };
  const { save } = Interaction.prototype;
  storeAlso(Interaction, 'newSessionUid');
  Object.assign(Interaction.prototype, {
    /** The login app learns what the session will be known by before there is one. */
    save(this: InteractionModel, ttl: number) {
      const ctx = Provider.ctx as KoaContextWithOIDC;
      // While a browser comes back, the engine saves its request anew, and does not know the client yet.
      if (ctx.oidc.client && !hasSession(ctx)) this.newSessionUid ??= newUid();
      return save.call(this, ttl);
    },
  });

  const IdToken = provider.IdToken as unknown as {
    prototype: { payload(): Promise<Record<string, unknown>> };
  };
  const { payload } = IdToken.prototype;
  IdToken.prototype.payload = async function (this: { readonly client: unknown }) {
    const claims = await payload.call(this);
    const grantId = Provider.ctx?.oidc.entities.Grant?.jti;
    const added = Object.entries(grantId ? await idTokenClaims(grantId) : {}).filter(
      ([name]) => !protocolClaims.includes(name) && !/_hash$/.test(name),
    );
    const { sub, ...others } = claims as { readonly sub: string };
    // A logout token names the session, and not the person. Source: Hydra.
    if ('events' in others) return others;
    return {
      ...Object.fromEntries(added),
      ...claims,
      sub: await subjectFor(slipwayOf(this.client), sub),
    };
  };
}

import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider';
import type { OAuth2RecordKind } from '../../generated/prisma/enums.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { accountOf } from '../domain/accounts.ts';
import {
  findByUserCode,
  openDeviceCode,
  pollDeviceCode,
  sealDeviceCode,
  userCodeHash,
} from '../store/device-codes.ts';
import {
  consumeRecord,
  consumeRefreshToken,
  endGrant,
  findRecord,
  findSessionByUid,
  type Payload,
  removeRecord,
  removeRecordsOfGrant,
  upsertRecord,
} from '../store/records.ts';
import { findAccessKeyClient } from './access-key-client.ts';
import { findEngineClient, type SlipwayClient } from './client-model.ts';
import { findTokenRecord } from './find-token-record.ts';
import { requireFewPushedRequests } from './pushed-requests.ts';

/** The client of the request that the engine answers now. */
const clientOfRequest = () =>
  Provider.ctx?.oidc.client as unknown as { readonly slipway: SlipwayClient } | undefined;

/**
 * Stores one model of the engine. What may be used once is used by one statement with a condition, because a read
 * before the write would let two requests at the same time use it twice.
 */
export const adapterFor =
  (issuer: string) =>
  (name: string): Adapter =>
    name === 'Client' ? clientAdapter(issuer) : new RecordAdapter(name as OAuth2RecordKind);

/** The session of an access token for Slipway itself. */
interface Session {
  readonly sessionId: string;
  readonly userId: string;
}

/** What an access token has beside what the engine gives it. */
interface StoredToken extends AdapterPayload {
  readonly slipway?: Session;
  /** The id of the record of the token that it was exchanged for. */
  readonly subjectToken?: string;
}

const isTokenKind = (kind: OAuth2RecordKind): boolean =>
  kind === 'AccessToken' || kind === 'ClientCredentials' || kind === 'RefreshToken';

class RecordAdapter implements Adapter {
  readonly #kind: OAuth2RecordKind;

  constructor(kind: OAuth2RecordKind) {
    this.#kind = kind;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const slipway = clientOfRequest()?.slipway;
    if (this.#kind === 'PushedAuthorizationRequest' && slipway) await requireFewPushedRequests(slipway);
    const record = { ...this.#columnsOf(id, payload), expiresInSeconds: this.#secondsKept(expiresIn) };
    if (await upsertRecord(record)) return;
    const what = 'the authorization has ended in the meantime';
    throw Provider.ctx?.oidc.route === 'token'
      ? new errors.InvalidGrant(what)
      : new errors.AccessDenied(what);
  }

  /**
   * A pushed request expires before its browser comes back from the login app. It is kept for so long, because it is
   * used when the browser has come back, and two browsers must not use it.
   */
  #secondsKept(expiresIn: number): number {
    return (
      expiresIn + (this.#kind === 'PushedAuthorizationRequest' ? serverConfig.oauth.challengeSeconds : 0)
    );
  }

  #columnsOf(id: string, { jti: _jti, slipway, subjectToken, ...payload }: StoredToken) {
    const client = clientOfRequest()?.slipway ?? null;
    const accountId = payload.accountId ?? null;
    const isSession = this.#kind === 'Session';
    const { userCode, ...others } = payload;
    return {
      ...{ kind: this.#kind, id, accountId, uid: isSession ? (payload.uid ?? null) : null },
      ...(userCode ? { uid: userCodeHash(userCode) } : {}),
      payload: storedForm(this.#kind === 'DeviceCode' ? { ...others, deviceCode: id } : others),
      // A challenge is for the apps of its client, whoever has a session in the browser.
      tenantId:
        accountId && this.#kind !== 'Interaction'
          ? accountOf(accountId).tenantId
          : (client?.tenantId ?? null),
      // A session outlives the clients that it was used for.
      clientRowId: isSession || client?.accessKey ? null : (client?.id ?? null),
      grantId: this.#kind === 'Grant' ? id : (payload.grantId ?? null),
      ...{ sessionId: slipway?.sessionId ?? null, userId: slipway?.userId ?? null },
      ...(subjectToken ? { subjectToken: { kind: 'AccessToken' as const, id: subjectToken } } : {}),
    };
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const record = await this.#read(id);
    if (!record) return undefined;
    const { payload, consumedAt, clientRowId } = record;
    // A pushed request is nothing to other clients: its state, for example, must not reach them.
    if (this.#kind === 'PushedAuthorizationRequest' && clientRowId !== clientOfRequest()?.slipway.id)
      return undefined;
    // A challenge whose browser has come back is kept only so that its login app learns this.
    if (this.#kind === 'Interaction' && consumedAt) return undefined;
    return {
      ...engineForm(payload),
      jti: id,
      ...(consumedAt ? { consumed: Math.floor(consumedAt.getTime() / 1000) } : {}),
    };
  }

  /** The token endpoint is told also about device codes that have expired, and not more often than it may ask. */
  async #read(id: string) {
    if (isTokenKind(this.#kind)) return await findTokenRecord(this.#kind, id);
    if (this.#kind !== 'DeviceCode' || Provider.ctx?.oidc.route !== 'token')
      return await findRecord({ kind: this.#kind, id });
    const code = await pollDeviceCode(id);
    if (code?.isEarly) throw new errors.SlowDown();
    return code;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return (await findSessionByUid(uid))?.payload;
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const record = await findByUserCode(userCode);
    if (!record) return undefined;
    const { sealedDeviceCode } = record.payload as { readonly sealedDeviceCode: string };
    return { ...record.payload, jti: openDeviceCode(sealedDeviceCode), userCode };
  }

  async consume(id: string): Promise<void> {
    const isFirst =
      this.#kind === 'RefreshToken' ? consumeRefreshToken(id) : consumeRecord({ kind: this.#kind, id });
    if (await isFirst) return;
    if (this.#kind === 'PushedAuthorizationRequest')
      throw new errors.InvalidRequestUri('the request_uri was used already');
    // Somebody else has used it at the same time: nothing of the authorization can be trusted any more.
    const grantId = (await findRecord({ kind: this.#kind, id }))?.payload['grantId'];
    if (typeof grantId === 'string') await endGrant(grantId);
    throw new errors.InvalidGrant('it was used already');
  }

  async destroy(id: string): Promise<void> {
    if (this.#kind === 'Interaction') await consumeRecord({ kind: this.#kind, id });
    else if (this.#kind === 'Grant') await endGrant(id);
    else await removeRecord({ kind: this.#kind, id });
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await removeRecordsOfGrant(grantId, this.#kind);
  }
}

/**
 * A challenge remembers the session that it began in, but not the id that opens the session. Device codes are stored
 * encrypted.
 */
function storedForm(payload: AdapterPayload): Payload {
  const { session, deviceCode, ...others } = payload as AdapterPayload & {
    session?: { cookie?: string };
    deviceCode?: string;
  };
  const { cookie: _cookie, ...kept } = session ?? {};
  return {
    ...others,
    ...(session ? { session: kept } : {}),
    ...(deviceCode ? { sealedDeviceCode: sealDeviceCode(deviceCode) } : {}),
  };
}

function engineForm({ sealedDeviceCode, ...payload }: Payload): AdapterPayload {
  return {
    ...payload,
    ...(typeof sealedDeviceCode === 'string' ? { deviceCode: openDeviceCode(sealedDeviceCode) } : {}),
  };
}

const refuse = async (): Promise<never> => {
  throw new Error('clients are changed through GraphQL only');
};

const clientAdapter = (issuer: string): Adapter => ({
  find: async (id) =>
    ((await findAccessKeyClient(id)) ?? (await findEngineClient(id, issuer))) as AdapterPayload | undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  upsert: refuse,
  consume: refuse,
  destroy: refuse,
  revokeByGrantId: refuse,
});

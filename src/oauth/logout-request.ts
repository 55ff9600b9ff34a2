import type { Caller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import { accountOf } from './domain/accounts.ts';
import { ChallengeUsedError } from './domain/challenges.ts';
import { type ClientRow, readClients } from './store/clients.ts';
import { findRecord } from './store/records.ts';

/** Where a browser signs out. */
export const LOGOUT_PATH = '/oauth2/sessions/logout';

/** What is stored of a browser that wants to sign out. */
export interface LogoutRequestPayload {
  /** Of the browser's session: only this browser can continue. */
  readonly secret: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly identityProviderSessionId?: string | undefined;
  readonly requestUrl: string;
  /** True if the client has shown an ID token of the session. */
  readonly isByClient: boolean;
  readonly clientId: string | null;
  readonly result?: { readonly isAccepted: true };
}

/** A browser that wants to sign out. */
export interface LogoutRequest {
  readonly challenge: string;
  readonly subject: string;
  /** `sid` in tokens. */
  readonly sessionId: string;
  /** As the login app has said it. */
  readonly identityProviderSessionId: string | null;
  readonly requestUrl: string;
  readonly rpInitiated: boolean;
  readonly client: ClientRow | null;
  readonly requestedAt: Date;
  readonly expiresAt: Date;
}

/** Where the browser continues after its logout was accepted. */
export const logoutUrlOf = (issuer: string, challenge: string): string =>
  `${issuer}${LOGOUT_PATH}?logout_challenge=${encodeURIComponent(challenge)}`;

/**
 * A logout of a person of the caller's tenant.
 *
 * @throws NotFoundError if there is no such challenge, or if it has expired or was rejected; ChallengeUsedError
 */
export async function getLogoutRequest(
  { tenantId }: Caller,
  issuer: string,
  challenge: string,
): Promise<LogoutRequest> {
  const record = await findRecord({ kind: 'LogoutRequest', id: challenge });
  if (!record || record.tenantId !== tenantId) throw new NotFoundError('challenge', challenge.slice(0, 100));
  const { accountId, sessionId, requestUrl, isByClient, clientId, result, ...payload } =
    record.payload as unknown as LogoutRequestPayload;
  if (record.consumedAt) throw new ChallengeUsedError(`${issuer}${LOGOUT_PATH}`);
  if (result) throw new ChallengeUsedError(logoutUrlOf(issuer, challenge));
  const [client = null] = clientId === null ? [] : await readClients(tenantId, [{ clientId }]);
  return {
    ...{ challenge, sessionId, requestUrl, client, rpInitiated: isByClient },
    identityProviderSessionId: payload.identityProviderSessionId ?? null,
    ...{ subject: accountOf(accountId).subject, requestedAt: record.createdAt, expiresAt: record.expiresAt },
  };
}

import { type Caller, systemCaller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import { NO_ID } from '../platform/ids.ts';
import { ChallengeUsedError } from './domain/challenges.ts';
import { wordsOf } from './domain/scopes.ts';
import { type ClientRow, readClients } from './store/clients.ts';
import { findByUserCode, recordMiss } from './store/device-codes.ts';
import { findRecord } from './store/records.ts';

/** The page where a browser begins. */
export const VERIFY_PATH = '/oauth2/device/verify';

/** What is stored of a browser that has come to enter a user code. */
export interface DeviceRequestPayload {
  /** Of the browser's session: only this browser can continue. */
  readonly secret: string;
  /** How many wrong user codes were tried. */
  readonly misses?: number;
  /** The user code that was accepted, encrypted. */
  readonly result?: { readonly sealedUserCode: string };
}

/** A browser that waits for a user code. */
export interface DeviceRequest {
  readonly challenge: string;
  /** What the code belongs to; null if none was given, or if it is not valid. */
  readonly code: UserCode | null;
  readonly requestedAt: Date;
  readonly expiresAt: Date;
}

/** What a device has asked for. */
export interface UserCode {
  readonly userCode: string;
  readonly client: ClientRow;
  readonly requestedScopes: readonly string[];
  readonly requestedAudience: readonly string[];
}

/** So many wrong codes end a challenge: a code has only 34 random bits. */
const MAX_MISSES = 10;

/** Where the browser continues after its code was accepted. */
export const resumeUrlOf = (issuer: string, challenge: string): string =>
  `${issuer}${VERIFY_PATH}?device_challenge=${encodeURIComponent(challenge)}`;

/** @throws NotFoundError if there is no such challenge, or if it has expired; ChallengeUsedError */
export async function getDeviceRequest(
  caller: Caller,
  issuer: string,
  { challenge, userCode }: { readonly challenge: string; readonly userCode: string | null },
): Promise<DeviceRequest> {
  const record = await findRecord({ kind: 'DeviceRequest', id: challenge });
  const payload = record?.payload as unknown as DeviceRequestPayload | undefined;
  if (!record || !payload || (payload.misses ?? 0) >= MAX_MISSES)
    throw new NotFoundError('challenge', challenge.slice(0, 100));
  if (record.consumedAt) throw new ChallengeUsedError(`${issuer}${VERIFY_PATH}`);
  if (payload.result) throw new ChallengeUsedError(resumeUrlOf(issuer, challenge));
  const code = userCode === null ? null : await findUserCode(caller, userCode);
  if (userCode !== null && code === null) await recordMiss(challenge);
  return { challenge, code, requestedAt: record.createdAt, expiresAt: record.expiresAt };
}

/** Letters of both cases and anything between the letters are accepted. Source: RFC 8628 §6.1. */
const normalized = (userCode: string) => userCode.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');

/** A code of a client of the caller's tenant that nobody has used; null if it is not valid. */
async function findUserCode({ tenantId }: Caller, given: string): Promise<UserCode | null> {
  const userCode = normalized(given);
  const record = await findByUserCode(userCode);
  if (!record?.isLive || record.tenantId !== tenantId || !record.clientRowId) return null;
  const { isClaimed, inFlight, accountId, error, params } = record.payload;
  if (isClaimed || inFlight || accountId || error) return null;
  const [client] = await readClients(tenantId, [{ id: record.clientRowId }]);
  if (!client) return null;
  const { scope, audience } = params as { readonly scope?: string; readonly audience?: string };
  return { userCode, client, requestedScopes: wordsOf(scope), requestedAudience: wordsOf(audience) };
}

/** As whom the built-in page answers: a caller of the tenant of the code, whichever it is. */
export async function callerForUserCode(userCode: string): Promise<Caller> {
  const record = await findByUserCode(normalized(userCode));
  return systemCaller(record?.tenantId ?? NO_ID, NO_ID);
}

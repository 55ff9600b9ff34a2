import { decodeJwt } from 'jose';
import type { Caller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import { VERIFY_PATH } from './device-request.ts';
import { accountOf } from './domain/accounts.ts';
import { type ChallengeKind, ChallengeUsedError } from './domain/challenges.ts';
import { mayUseSession } from './domain/own-clients.ts';
import { wordsOf } from './domain/scopes.ts';
import { issuerOf } from './provider/current-provider.ts';
import { type ClientRow, readClients } from './store/clients.ts';
import { findRememberedConsent } from './store/consents.ts';
import { findRecord, findSessionByUid } from './store/records.ts';
import { withVerifier } from './verifier.ts';

/** What the engine stores of a challenge. */
interface InteractionPayload {
  readonly prompt: { readonly name: string; readonly reasons: readonly string[] };
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly returnTo: string;
  readonly iat: number;
  /** The same for the login and the consent of one authorization. */
  readonly cid: string;
  readonly session?: {
    readonly accountId: string;
    readonly uid: string;
    readonly acr?: string;
    readonly amr?: string[];
  };
  readonly lastSubmission?: { readonly login?: LoginResult };
  readonly result?: object;
  /** If the sign-in is for a device. */
  readonly sealedDeviceCode?: string;
  /** What the session will be known by, if the browser has none that the client may use. */
  readonly newSessionUid?: string;
}

/** What a login app has said, as the engine keeps it until the consent. */
export interface LoginResult {
  readonly accountId: string;
  readonly remember: boolean;
  /** In seconds; 0 for as long as the server says. */
  readonly rememberFor: number;
  readonly isSkipped: boolean;
  /** Whether a session that is used again lasts longer. */
  readonly isExtended: boolean;
  readonly acr?: string | undefined;
  readonly amr?: string[] | undefined;
  /** When the person signed in, in seconds; left out for now. */
  readonly ts?: number | undefined;
  /** The version of the user of Slipway, if the built-in page has signed her in. */
  readonly userVersion?: number | undefined;
  /** The account at an identity provider with which she has signed in. */
  readonly identityLinkId?: string | undefined;
  /** The challenge that was answered. */
  readonly challenge?: string;
  /** The session of the person at the identity provider behind the login app. */
  readonly identityProviderSessionId?: string | undefined;
  readonly context?: unknown;
}

/** A challenge that waits for its app. */
export interface Challenge {
  readonly challenge: string;
  /** The id of the authorization. Consent sessions have it, too. */
  readonly requestId: string;
  readonly kind: ChallengeKind;
  readonly client: ClientRow;
  readonly requestedScopes: readonly string[];
  readonly requestedAudience: readonly string[];
  /** True if nobody has to be asked: a person has a session, or a consent is remembered. */
  readonly skip: boolean;
  /** The person, if she is known. */
  readonly subject: string | null;
  readonly sessionId: string | null;
  readonly requestUrl: string;
  readonly params: InteractionPayload['params'];
  /** Of the ID token that the request brings as a hint. */
  readonly idTokenHintClaims: Readonly<Record<string, unknown>> | undefined;
  readonly requestedAt: Date;
  readonly expiresAt: Date;
  readonly returnTo: string;
  /** What has been said at the login, for a consent. */
  readonly login: LoginResult | null;
  /** The session of the browser, for a login. */
  readonly session: InteractionPayload['session'] | null;
}

/** The reason why a login app is called although a person has a session. */
export const CALLED = 'login_app_called';

/**
 * A challenge of a client of the caller's tenant.
 *
 * @throws NotFoundError if there is no such challenge, or if it has expired; ChallengeUsedError
 */
export async function getChallenge(
  caller: Caller,
  kind: ChallengeKind,
  challenge: string,
): Promise<Challenge> {
  const absent = () => new NotFoundError('challenge', challenge.slice(0, 100));
  const record = await findRecord({ kind: 'Interaction', id: challenge });
  if (!record || record.tenantId !== caller.tenantId || !record.clientRowId) throw absent();
  const payload = record.payload as unknown as InteractionPayload;
  if (payload.prompt.name !== kind) throw absent();
  const [client] = await readClients(caller.tenantId, [{ id: record.clientRowId }]);
  if (!client) throw absent();
  if (record.consumedAt) throw new ChallengeUsedError(requestUrlOf(payload));
  const returnTo = withVerifier(payload.returnTo, challenge);
  if (payload.result) throw new ChallengeUsedError(returnTo);
  const login = payload.lastSubmission?.login ?? null;
  const accountId = login?.accountId ?? payload.session?.accountId ?? null;
  const { session } = payload;
  const usable = session && mayUseSession(client, session.accountId) ? session : null;
  const subject = accountId && accountOf(accountId).subject;
  const requestedScopes = wordsOf(payload.params['scope']);
  const requestedAudience = wordsOf(payload.params['audience']);
  const isRepeated =
    payload.prompt.reasons.every((reason) => reason === CALLED) && payload.session !== undefined;
  const asked = { scopes: requestedScopes, audience: requestedAudience };
  const skip = kind === 'login' ? isRepeated : await isRemembered(client, subject, asked, payload);
  const seconds = (instant: number) => new Date(instant * 1000);
  return {
    ...{ challenge, kind, client, requestedScopes, requestedAudience, skip, login },
    requestUrl: requestUrlOf({ ...payload, params: { ...payload.params, id_token_hint: undefined } }),
    requestId: payload.cid,
    subject: kind === 'login' && !skip ? null : subject,
    sessionId: usable?.uid ?? payload.newSessionUid ?? null,
    params: payload.params,
    idTokenHintClaims: claimsOf(payload.params['id_token_hint']),
    requestedAt: seconds(payload.iat),
    expiresAt: record.expiresAt,
    returnTo,
    session: payload.session ?? null,
  };
}

/** The engine has checked the ID token before it stored the request. */
const claimsOf = (idToken: string | undefined) => (idToken === undefined ? undefined : decodeJwt(idToken));

async function isRemembered(
  { id: clientRowId }: ClientRow,
  subject: string | null,
  asked: { readonly scopes: readonly string[]; readonly audience: readonly string[] },
  { params, sealedDeviceCode }: InteractionPayload,
): Promise<boolean> {
  // Whoever reads a user code to somebody else must not get tokens without a question.
  if (subject === null || sealedDeviceCode || wordsOf(params['prompt']).includes('consent')) return false;
  return (await findRememberedConsent({ clientRowId, subject }, asked)) !== null;
}

/** The original request, with which a browser can begin anew. It may contain an ID token. */
function requestUrlOf({ params, returnTo, sealedDeviceCode }: InteractionPayload): string {
  if (sealedDeviceCode) return `${issuerOf(returnTo)}${VERIFY_PATH}`;
  const url = new URL(`${issuerOf(returnTo)}/oauth2/auth`);
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && name !== 'resource') url.searchParams.set(name, String(value));
  return url.href;
}

/** When the person of a session signed in, in seconds. */
export async function signedInAt(sessionUid: string): Promise<number | undefined> {
  const session = await findSessionByUid(sessionUid);
  return session?.payload['loginTs'] as number | undefined;
}

/** The account at an identity provider with which a session began; undefined for all other sessions. */
export async function identityLinkOf(sessionUid: string): Promise<string | undefined> {
  const session = await findSessionByUid(sessionUid);
  return session?.payload['identityLinkId'] as string | undefined;
}

/** What the login app has named the session of the person at its identity provider; null if nothing. */
export async function identityProviderSessionOf(sessionUid: string): Promise<string | null> {
  const session = await findSessionByUid(sessionUid);
  return (session?.payload['identityProviderSessionId'] as string | undefined) ?? null;
}

/** The version of the user of Slipway when she signed in; null if an operator's app has signed somebody in. */
export async function signedInVersion(sessionUid: string): Promise<number | null> {
  const session = await findSessionByUid(sessionUid);
  return (session?.payload['userVersion'] as number | undefined) ?? null;
}

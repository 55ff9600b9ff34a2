import { type Caller, logOf } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isStorable } from '../../platform/text.ts';
import { type Challenge, getChallenge, identityLinkOf, type LoginResult, signedInAt } from '../challenge.ts';
import { accountIdOf } from '../domain/accounts.ts';
import { type ChallengeKind, ChallengeUsedError, refusalOf } from '../domain/challenges.ts';
import { forcedSubjectFault } from '../domain/forced-subjects.ts';
import { isPairwise } from '../domain/sectors.ts';
import { storeForcedSubject } from '../store/pairwise-subjects.ts';
import { resolveRecord } from '../store/records.ts';

export interface AcceptedLogin {
  readonly challenge: string;
  readonly subject: string;
  /** The tenant of the person; if it is left out, that of the caller. Clients of Slipway's own are for users of all. */
  readonly subjectTenantId?: string;
  /** See LoginResult. */
  readonly userVersion?: number | null;
  /** See LoginResult. */
  readonly identityLinkId?: string | undefined;
  readonly remember: boolean;
  /** In seconds; 0 for as long as the server says. */
  readonly rememberFor: number;
  /** If the request is skipped: the session lasts as long as if it began now. */
  readonly extendSessionLifespan?: boolean;
  readonly acr: string | null;
  readonly amr: readonly string[] | null;
  /** The session at the identity provider behind the login app, which the logout app then learns. */
  readonly identityProviderSessionId?: string | null;
  /** What the client knows the person by from now on, if it has pairwise subjects. */
  readonly forceSubjectIdentifier?: string | null;
  /** For the consent app. */
  readonly context: unknown;
}

const MAX_SUBJECT = 255;
const MAX_SESSION_ID = 255;
const forcePath = ['input', 'forceSubjectIdentifier'];

/**
 * Says who has signed in. If the request can be skipped, it must be the person of the session; when and how she signed
 * in stay as they were.
 *
 * @returns where to send the browser.
 * @throws InvalidArgumentError; NotFoundError; ChallengeUsedError for all but the first answer. Source: Hydra's
 * acceptLoginRequest.
 */
export async function acceptLoginRequest(caller: Caller, login: AcceptedLogin): Promise<string> {
  const { subject } = login;
  const path = ['input', 'subject'];
  if (subject === '' || subject.length > MAX_SUBJECT || !isStorable(subject))
    throw InvalidArgumentError.of(path, `must have 1 to ${MAX_SUBJECT} characters`);
  const { identityProviderSessionId } = login;
  if ((identityProviderSessionId ?? '').length > MAX_SESSION_ID)
    throw InvalidArgumentError.of(
      ['input', 'identityProviderSessionId'],
      `must have at most ${MAX_SESSION_ID} characters`,
    );
  const { forceSubjectIdentifier: identifier } = login;
  const fault = identifier ? forcedSubjectFault(identifier) : null;
  if (fault !== null) throw InvalidArgumentError.of(forcePath, fault);
  const challenge = await getChallenge(caller, 'login', login.challenge);
  const accountId = accountIdOf({ tenantId: login.subjectTenantId ?? caller.tenantId, subject });
  const { session } = challenge;
  if (challenge.skip && session?.accountId !== accountId)
    throw InvalidArgumentError.of(path, 'the session belongs to another subject');
  const how: Omit<LoginResult, 'accountId' | 'challenge' | 'context'> =
    challenge.skip && session
      ? {
          ...{ remember: true, rememberFor: login.rememberFor, isSkipped: true },
          ...{ acr: session.acr, amr: session.amr, isExtended: login.extendSessionLifespan ?? false },
          ts: await signedInAt(session.uid),
          identityLinkId: await identityLinkOf(session.uid),
        }
      : {
          ...{ remember: login.remember, rememberFor: login.rememberFor, isSkipped: false },
          isExtended: false,
          userVersion: login.userVersion ?? undefined,
          identityLinkId: login.identityLinkId,
          identityProviderSessionId: identityProviderSessionId || undefined,
          ...{ acr: login.acr ?? undefined, amr: login.amr ? [...login.amr] : undefined },
        };
  const context = login.context ?? undefined;
  const result = { login: { accountId, ...how, challenge: challenge.challenge, context } };
  const { client } = challenge;
  if (!identifier || !isPairwise(client.settings)) return await answer(challenge, result);
  try {
    return await answer(challenge, result, (tx) => storeForcedSubject(tx, client, accountId, identifier));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw InvalidArgumentError.of(forcePath, 'the client knows another person by this identifier');
  }
}

export interface Rejection {
  readonly challenge: string;
  readonly error: string | null;
  readonly errorDescription: string | null;
  readonly errorHint: string | null;
  /** For our log only, as is the status: clients are told by a redirect. */
  readonly errorDebug: string | null;
  readonly statusCode: number | null;
}

/**
 * Refuses a login or a consent: the client gets this error.
 *
 * @returns where to send the browser.
 * @throws InvalidArgumentError for a status that is not one of an error; NotFoundError; ChallengeUsedError. Source:
 * Hydra's rejectLoginRequest.
 */
export async function rejectRequest(
  caller: Caller,
  kind: ChallengeKind,
  rejection: Rejection,
): Promise<string> {
  const { error, errorDescription, errorHint, errorDebug, statusCode } = rejection;
  if (statusCode !== null && (statusCode < 400 || statusCode > 599))
    throw InvalidArgumentError.of(['input', 'statusCode'], 'must be a status of an error, 400 to 599');
  const challenge = await getChallenge(caller, kind, rejection.challenge);
  const { clientId } = challenge.client;
  const why = { error: error || 'access_denied', statusCode: statusCode ?? 400, errorDebug };
  logOf(caller).info({ clientId, kind, ...why }, 'request rejected');
  const description = [errorDescription ?? refusalOf(kind), errorHint].filter(Boolean).join(' ');
  return await answer(challenge, { error: why.error, error_description: description });
}

/** Stores the one answer to a challenge. @param also  more work, if it is the first answer. @throws ChallengeUsedError */
async function answer(
  { challenge, returnTo }: Challenge,
  result: Readonly<Record<string, unknown>>,
  also: (tx: Tx) => Promise<void> = async () => {},
): Promise<string> {
  const isFirst = await inTransaction(async (tx) => {
    if (!(await resolveRecord(tx, { kind: 'Interaction', id: challenge }, result))) return false;
    await also(tx);
    return true;
  });
  if (!isFirst) throw new ChallengeUsedError(returnTo);
  return returnTo;
}

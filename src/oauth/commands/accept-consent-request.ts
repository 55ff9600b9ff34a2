import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, type Problem } from '../../platform/errors.ts';
import { type Challenge, getChallenge } from '../challenge.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { currentProvider, issuerOf } from '../provider/current-provider.ts';
import { type ConsentClaims, type ConsentQuestion, insertConsent } from '../store/consents.ts';
import { removeRecord, resolveRecord } from '../store/records.ts';

export interface AcceptedConsent {
  readonly challenge: string;
  readonly grantScopes: readonly string[];
  readonly grantAudience: readonly string[];
  readonly remember: boolean;
  /** In seconds; 0 for ever. */
  readonly rememberFor: number;
  readonly session: ConsentClaims;
  /** For the list of consent sessions; left out or null: what the login app has said. */
  readonly context?: unknown;
  /** When the person answered; null for now. */
  readonly handledAt: Date | null;
}

const MAX_CLAIMS = 16_384;

/**
 * Says what a person has allowed a client. Nothing can be granted that was not requested.
 *
 * @returns where to send the browser.
 * @throws InvalidArgumentError with all problems; NotFoundError; ChallengeUsedError for all but the first answer.
 * Source: Hydra's acceptConsentRequest, which grants anything.
 */
export async function acceptConsentRequest(caller: Caller, consent: AcceptedConsent): Promise<string> {
  const challenge = await getChallenge(caller, 'consent', consent.challenge);
  const { client, login, returnTo, requestedScopes, requestedAudience } = challenge;
  const problems = [
    ...unrequested('grantScopes', consent.grantScopes, requestedScopes),
    ...unrequested('grantAudience', consent.grantAudience, requestedAudience),
  ];
  for (const [name, claims] of Object.entries(consent.session))
    if (!isObject(claims)) problems.push(fault(['session', name], 'must be a JSON object'));
  if (JSON.stringify(consent.session).length > MAX_CLAIMS)
    problems.push(fault(['session'], `must have at most ${MAX_CLAIMS} characters as JSON`));
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const accountId = login?.accountId ?? challenge.session?.accountId;
  const { subject } = challenge;
  if (!accountId || subject === null) throw new NotFoundError('challenge', consent.challenge.slice(0, 100));
  const provider = await currentProvider(issuerOf(returnTo));
  const { saveGrant } = await import('../provider/interactions.ts');
  const { clientId, id: clientRowId, tenantId } = client;
  const scopes = [...consent.grantScopes];
  const owner = { accountId, clientId, audience: consent.grantAudience };
  const grantId = await saveGrant(provider, owner, requestedScopes, scopes);
  const handledAt = new Date(Math.min(Date.now(), consent.handledAt?.getTime() ?? Number.POSITIVE_INFINITY));
  const until =
    consent.remember && consent.rememberFor > 0
      ? new Date(handledAt.getTime() + consent.rememberFor * 1000)
      : null;
  const isFirst = await inTransaction(async (tx) => {
    // The earlier results stay: without the login, the engine would ask for it again.
    const result = { ...(login ? { login } : {}), consent: { grantId } };
    if (!(await resolveRecord(tx, { kind: 'Interaction', id: consent.challenge }, result))) return false;
    await insertConsent(
      {
        ...{ grantId, tenantId, clientRowId, subject, scopes, audience: [...consent.grantAudience] },
        ...{ session: consent.session, loginSessionId: challenge.sessionId, isRepeated: challenge.skip },
        ...{ isRemembered: consent.remember && !challenge.skip, rememberedUntil: until },
        ...{ requestedAt: challenge.requestedAt, handledAt, requestId: challenge.requestId },
        request: questionOf(challenge, consent.context),
      },
      tx,
    );
    return true;
  });
  if (isFirst) return returnTo;
  await removeRecord({ kind: 'Grant', id: grantId });
  throw new ChallengeUsedError(returnTo);
}

/** The parameters that `OidcContext` shows. */
const shownParameters = ['acr_values', 'ui_locales', 'display', 'login_hint'];

function questionOf({ params, login, ...challenge }: Challenge, context: unknown): ConsentQuestion {
  const { requestedScopes, requestedAudience, requestUrl } = challenge;
  return {
    ...{ requestedScopes, requestedAudience, requestUrl },
    ...{ acr: login?.acr ?? null, amr: login?.amr ?? [], context: context ?? login?.context ?? null },
    loginChallenge: login?.challenge ?? null,
    params: Object.fromEntries(shownParameters.map((name) => [name, params[name]])),
    idTokenHintClaims: challenge.idTokenHintClaims,
  };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const fault = (path: readonly string[], message: string): Problem => ({
  path: ['input', ...path],
  code: 'InvalidValue',
  message,
});

function unrequested(field: string, granted: readonly string[], requested: readonly string[]): Problem[] {
  return granted.flatMap((one, index) =>
    requested.includes(one) ? [] : [fault([field, String(index)], 'this was not requested')],
  );
}

import { type OAuth2Consent, Prisma } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';

/** Claims that the consent app puts into tokens. */
export interface ConsentClaims {
  readonly accessToken: Readonly<Record<string, unknown>>;
  readonly idToken: Readonly<Record<string, unknown>>;
}

/** What was asked when a consent was given. */
export interface ConsentQuestion {
  readonly requestedScopes: readonly string[];
  readonly requestedAudience: readonly string[];
  readonly requestUrl: string;
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly context: unknown;
  /** The account at an identity provider with which the person had signed in. */
  readonly identityLinkId?: string | undefined;
  /** The challenge of the login before it. Rows of older releases do not have it. */
  readonly loginChallenge?: string | null;
  /** The parameters about how to sign in. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly idTokenHintClaims?: Readonly<Record<string, unknown>> | undefined;
}

export interface ConsentRow extends Omit<OAuth2Consent, 'session' | 'request'> {
  readonly session: ConsentClaims;
  readonly request: ConsentQuestion | null;
}

export type NewConsent = ConsentRow;

export async function insertConsent(consent: NewConsent, tx: Tx): Promise<void> {
  await tx.oAuth2Consent.create({
    data: {
      ...consent,
      session: consent.session as unknown as Prisma.InputJsonObject,
      request: consent.request ? (consent.request as unknown as Prisma.InputJsonObject) : Prisma.DbNull,
    },
  });
}

const lockStatement = statement<{ grantId: string }>(
  'select grant_id as "grantId" from oauth2_consents where grant_id = $1 for key share',
);

/**
 * Stores the consent of an authorization for which nobody was asked, because it repeats an earlier one.
 *
 * @returns false if the earlier one has been taken back.
 */
export async function repeatConsent(
  earlier: Pick<ConsentRow, 'grantId'>,
  consent: NewConsent,
): Promise<boolean> {
  return await inTransaction(async (tx) => {
    if ((await run(lockStatement, [earlier.grantId], tx)).length === 0) return false;
    await insertConsent(consent, tx);
    return true;
  });
}

export async function findConsent(grantId: string): Promise<ConsentRow | null> {
  return (await db.oAuth2Consent.findUnique({ where: { grantId } })) as unknown as ConsentRow | null;
}

/** How many of the newest remembered consents are looked at. */
const MAX_REMEMBERED = 20;

/** The newest consent that is remembered now and covers all that is asked; null if a person must be asked. */
export async function findRememberedConsent(
  { clientRowId, subject }: { readonly clientRowId: string; readonly subject: string },
  asked: { readonly scopes: readonly string[]; readonly audience: readonly string[] },
): Promise<ConsentRow | null> {
  const rows = await db.oAuth2Consent.findMany({
    where: {
      ...{ clientRowId, subject, isRemembered: true, isRepeated: false },
      OR: [{ rememberedUntil: null }, { rememberedUntil: { gt: new Date() } }],
    },
    orderBy: { requestedAt: 'desc' },
    take: MAX_REMEMBERED,
  });
  const found = rows.find(
    (row) =>
      asked.scopes.every((scope) => row.scopes.includes(scope)) &&
      asked.audience.every((one) => row.audience.includes(one)),
  );
  return (found ?? null) as unknown as ConsentRow | null;
}

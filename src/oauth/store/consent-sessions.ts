import { Prisma } from '../../generated/prisma/client.ts';
import type { Order, Page } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list, query } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { Account } from '../domain/accounts.ts';
import type { ConsentRow } from './consents.ts';

export interface ConsentSessionFilter {
  readonly clientId: string | null;
  /** `sid` of the session in which they were given. */
  readonly loginSessionId: string | null;
}

/**
 * What a person has said herself. An authorization for which nobody was asked repeats an earlier consent, and a consent
 * that was to be remembered for a time ends with it.
 */
const sessionsOf = (
  { tenantId, subject }: Account,
  { clientId, loginSessionId }: ConsentSessionFilter,
): Rows => ({
  from: sql`oauth2_consents as consent
    where consent.tenant_id = ${tenantId}::uuid and consent.subject = ${subject} and not consent.is_repeated
      and (consent.remembered_until is null or consent.remembered_until > now())
    ${clientId === null ? nothing : sql`and consent.client_row_id = (select id from oauth2_clients where client_id = ${clientId})`}
    ${loginSessionId === null ? nothing : sql`and consent.login_session_id = ${loginSessionId}`}`,
});

/** The newest request first. */
export const consentSessionOrder: Order<Pick<ConsentRow, 'requestedAt' | 'grantId'>> = [
  {
    column: 'consent.requested_at',
    type: 'timestamptz',
    direction: 'desc',
    of: ({ requestedAt }) => requestedAt.toISOString(),
  },
  { column: 'consent.grant_id', type: 'text', direction: 'desc', of: ({ grantId }) => grantId },
];

const columns = columnsOf(Prisma.OAuth2ConsentScalarFieldEnum, 'consent');

export const listConsentSessions = (account: Account, filter: ConsentSessionFilter, page: Page) =>
  list<ConsentRow>(sessionsOf(account, filter), columns, consentSessionOrder, page);

/** The number of these sessions. It is read only if a query asks for it. */
export const countConsentSessions = (account: Account, filter: ConsentSessionFilter) =>
  count(sessionsOf(account, filter));

/** Which consents. All conditions that are given must hold. */
export interface ConsentSelection {
  readonly subject: string | null;
  readonly clientId: string | null;
  readonly consentRequestId: string | null;
}

/**
 * Deletes consents, also those that repeat an earlier one.
 *
 * @returns the authorizations that they belong to.
 */
export async function removeConsents(
  tx: Tx,
  tenantId: string,
  { subject, clientId, consentRequestId }: ConsentSelection,
): Promise<string[]> {
  const remove = () =>
    query<{ grantId: string }>(
      sql`delete from oauth2_consents where tenant_id = ${tenantId}::uuid
        ${subject === null ? nothing : sql`and subject = ${subject}`}
        ${clientId === null ? nothing : sql`and client_row_id = (select id from oauth2_clients where client_id = ${clientId})`}
        ${consentRequestId === null ? nothing : sql`and request_id = ${consentRequestId}`}
        returning grant_id as "grantId"`,
      tx,
    );
  // The first statement waits for those that are being repeated. The second one sees what repeats them.
  const rows = [...(await remove()), ...(await remove())];
  return rows.map(({ grantId }) => grantId);
}

/**
 * A person, as the protocol engine names her: the tenant and the subject. Login apps choose the subject, so two tenants
 * may have the same one. With the tenant in the name, the session of one is never taken for the other.
 */
export interface Account {
  readonly tenantId: string;
  readonly subject: string;
}

export const accountIdOf = ({ tenantId, subject }: Account): string => `${tenantId}/${subject}`;

export function accountOf(accountId: string): Account {
  const slash = accountId.indexOf('/');
  return { tenantId: accountId.slice(0, slash), subject: accountId.slice(slash + 1) };
}

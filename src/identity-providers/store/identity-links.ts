import { type IdentityLink, Prisma } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import type { Order, Page } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';

export interface NewLink {
  readonly tenantId: string;
  readonly identityProviderId: string;
  readonly userId: string;
  readonly subject: string;
}

/** @throws a unique violation if the person or the user has a link already. */
export const insertLink = (tx: Tx, link: NewLink): Promise<IdentityLink> =>
  tx.identityLink.create({ data: { id: newId(), ...link } });

export const findLink = (identityProviderId: string, subject: string): Promise<IdentityLink | null> =>
  db.identityLink.findUnique({
    where: { identityProviderId_subject: { identityProviderId, subject } },
  });

/** Notes that its user has signed in with it. @returns false if it is gone. */
export async function touchLink(tx: Tx, id: string): Promise<boolean> {
  return (await tx.identityLink.updateMany({ where: { id }, data: { usedAt: new Date() } })).count > 0;
}

export const findLinkById = async (tenantId: string, id: string): Promise<IdentityLink | null> =>
  isId(id) ? await db.identityLink.findFirst({ where: { tenantId, id } }) : null;

/** @returns false if it was gone. */
export async function removeLink(tx: Tx, id: string): Promise<boolean> {
  return (await tx.identityLink.deleteMany({ where: { id } })).count > 0;
}

/** All links of a provider, whose users are signed out with it. */
export const linksOfProvider = (tx: Tx, identityProviderId: string): Promise<IdentityLink[]> =>
  tx.identityLink.findMany({ where: { identityProviderId } });

/** Which links a list shows; null for all. */
export interface LinkFilter {
  readonly userId: string | null;
  readonly providerId: string | null;
}

const shown = (tenantId: string, { userId, providerId }: LinkFilter): Rows => ({
  from: sql`identity_links as link where link.tenant_id = ${tenantId}::uuid
    ${userId === null ? nothing : sql`and link.user_id = ${userId}::uuid`}
    ${providerId === null ? nothing : sql`and link.identity_provider_id = ${providerId}::uuid`}`,
});

/** The newest first: ids are in the order of their creation. */
export const linkOrder: Order<Pick<IdentityLink, 'id'>> = [
  { column: 'link.id', type: 'uuid', direction: 'desc', of: ({ id }) => id },
];

const columns = columnsOf(Prisma.IdentityLinkScalarFieldEnum, 'link');

export const listLinks = (tenantId: string, filter: LinkFilter, page: Page) =>
  list<IdentityLink>(shown(tenantId, filter), columns, linkOrder, page);

/** The number of these links. It is read only if a query asks for it. */
export const countLinks = (tenantId: string, filter: LinkFilter) => count(shown(tenantId, filter));

/** Consents without a sign-in, for tests of lists. */
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';

/** A person has allowed a client everything, and wants it remembered. */
export async function allow(clientRowId: string, subject: string): Promise<void> {
  const { tenantId } = await db.oAuth2Client.findUniqueOrThrow({ where: { id: clientRowId } });
  await db.oAuth2Consent.create({
    data: {
      ...{
        grantId: newId(),
        tenantId,
        clientRowId,
        subject,
        scopes: ['openid'],
        audience: [],
        isRemembered: true,
      },
      ...{ session: { accessToken: {}, idToken: {} }, requestedAt: new Date() },
    },
  });
}

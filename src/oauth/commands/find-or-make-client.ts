import { findFirstTenant } from '../../identity/store/tenants.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { noLifespans } from '../domain/client-settings.ts';
import { ownClientSettings } from '../domain/own-clients.ts';
import { type EngineClient, findClientOfAnyTenant, insertClient } from '../store/clients.ts';

/**
 * A client by its id. One of Slipway's own is made when it is first asked for, once for all servers; afterwards it stays
 * as an administrator has changed it.
 *
 * @returns null if there is no such client.
 */
export async function findOrMakeClient(clientId: string): Promise<EngineClient | null> {
  const known = await findClientOfAnyTenant(clientId);
  const settings = known ? null : ownClientSettings(clientId);
  const tenant = settings && (await findFirstTenant());
  if (!settings || !tenant) return known;
  try {
    const key = { tenantId: tenant.id, clientId };
    await inTransaction((tx) => insertClient(tx, key, { ...settings, lifespans: noLifespans }));
  } catch (error) {
    // Another server was faster.
    if (!isUniqueViolation(error)) throw error;
  }
  return await findClientOfAnyTenant(clientId);
}

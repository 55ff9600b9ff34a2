import type { Provider } from 'oidc-provider';
import { log } from '../../platform/log.ts';
import type { EndedSession } from '../store/records.ts';

/** The part of a client of the engine that its types do not have. */
interface BackChannel {
  readonly backchannelLogoutUri?: string;
  backchannelLogout(accountId: string, sid: string): Promise<void>;
}

/**
 * Tells the clients of a session that it has ended. A client that does not answer within some seconds is not asked
 * again. Source: OpenID Connect Back-Channel Logout.
 */
export async function tellClients(provider: Provider, { uid, clientIds }: EndedSession): Promise<void> {
  await Promise.all(
    clientIds.map(async (clientId) => {
      const client = (await provider.Client.find(clientId)) as unknown as BackChannel | undefined;
      if (!client?.backchannelLogoutUri) return;
      try {
        // The logout token names the session only.
        await client.backchannelLogout('', uid);
      } catch (error) {
        log.warn({ err: error, clientId }, 'client was not told about a logout');
      }
    }),
  );
}

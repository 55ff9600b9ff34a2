import { recordByClient } from '../authorization/audit.ts';
import { inTransaction } from '../platform/database/transaction.ts';
import type { Actor } from './domain/token-exchange.ts';

/** A client that has exchanged a token. */
export interface ExchangingClient {
  readonly tenantId: string;
  readonly id: string;
  readonly clientId: string;
  readonly address: string | null;
}

export interface Exchange {
  /** The person, as the login app names her. */
  readonly subject: string;
  /** The client of the token that was exchanged. */
  readonly fromClientId: string;
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  readonly actor: Actor | null;
  readonly expiresInSeconds: number;
}

/** Writes an exchange to the audit log. */
export async function recordExchange(client: ExchangingClient, exchange: Exchange): Promise<void> {
  const { id, clientId: name } = client;
  await inTransaction((tx) =>
    recordByClient(tx, client, {
      ...{ action: 'oauth2Token:exchange', after: exchange },
      target: { type: 'oauth2 client', id, name },
    }),
  );
}

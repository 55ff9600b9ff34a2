import { CliError } from '../cli-error.ts';
import { type Ask, createClient } from '../client.ts';
import type { Connection } from '../settings.ts';
import { loginDocument, logoutDocument } from './documents.ts';

/** A client with a token of its own, so that the server does not check a secret with each call. */
export async function signIn(connection: Connection): Promise<{ ask: Ask; signOut(): Promise<void> }> {
  const ask = createClient(connection);
  if (!connection.authorization?.startsWith('Basic ')) return { ask, signOut: async () => {} };
  const { login } = await ask(loginDocument, { input: { expiresIn: 'PT24H' } });
  if (login?.__typename !== 'LoginPayload') throw refusal('signing in', login);
  const signedIn = createClient({ ...connection, authorization: `Bearer ${login.token}` });
  return {
    ask: signedIn,
    async signOut() {
      await signedIn(logoutDocument, {});
    },
  };
}

type Refused =
  | { readonly __typename: string; readonly code?: unknown; readonly message?: string }
  | null
  | undefined;

/** The error for a call that did not answer its payload. */
export function refusal(what: string, answer: Refused): CliError {
  const code = answer && 'code' in answer ? (answer.code as CliError['code']) : 'INTERNAL';
  return new CliError(code, `${what} was refused: ${answer?.message ?? 'the server gave no result'}`);
}

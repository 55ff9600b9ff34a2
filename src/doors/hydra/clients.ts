import { z } from 'zod';
import type { ClientFieldsFragment } from '../../generated/doors/graphql.ts';
import { type DoorAnswer, type DoorCall, foundOf, payloadOf } from '../door.ts';
import { object, readBody } from './bodies.ts';
import { clientJson, lifespansOf, settingsOf } from './client-json.ts';
import {
  clientCursorsDocument,
  clientDocument,
  clientsDocument,
  createClientDocument,
  deleteClientDocument,
  deleteRotatedSecretsDocument,
  patchClientDocument,
  rotateSecretDocument,
  setLifespansDocument,
  updateClientDocument,
} from './documents.ts';
import { hydraMembers } from './names.ts';
import { listPage } from './pages.ts';

/** The operations on clients, at Hydra's addresses. Source: Hydra v26.2, `client/handler.go`. */

const by = (clientId: string) => ({ by: { clientId } });

/** A client, with its secret if the call has made or set one. */
const withSecret = (client: ClientFieldsFragment, clientSecret: string | null) => ({
  ...clientJson(client),
  ...(clientSecret === null ? {} : { client_secret: clientSecret }),
});

const clientType = z.looseObject({ client_id: z.string().nullish(), client_secret: z.string().nullish() });

export async function listClients(call: DoorCall): Promise<DoorAnswer> {
  const [clientName, owner] = [call.query.get('client_name'), call.query.get('owner')];
  const filter = { ...(clientName ? { clientName } : {}), ...(owner ? { owner } : {}) };
  return await listPage(call, clientJson, {
    read: (page) => call.ask(clientsDocument, { filter, ...page }),
    skip: (page) => call.ask(clientCursorsDocument, { filter, ...page }),
  });
}

export async function createClient(call: DoorCall): Promise<DoorAnswer> {
  const body = await readBody(call, clientType);
  const { client_id: clientId, client_secret: clientSecret } = body;
  const lifespans = lifespansOf(body);
  const input = { clientId, clientSecret, client: settingsOf(body) };
  const { result } = await call.ask(createClientDocument, { input });
  const made = payloadOf(result);
  const client = await withLifespans(call, made.client, lifespans);
  const location = `${call.path}/${encodeURIComponent(client.clientId)}`;
  const { registrationAccessToken, registrationClientUri } = made;
  const registration = hydraMembers({ registrationAccessToken, registrationClientUri });
  const answered = { ...withSecret(client, made.clientSecret), ...registration };
  return { status: 201, headers: { location }, body: answered };
}

/** Lifespans are a part of Hydra's clients; here they have an operation of their own, which is asked if they change. */
async function withLifespans(
  { ask }: DoorCall,
  client: ClientFieldsFragment,
  lifespans: ReturnType<typeof lifespansOf>,
): Promise<ClientFieldsFragment> {
  const names = Object.keys(client.lifespans) as (keyof typeof client.lifespans)[];
  if (names.every((name) => client.lifespans[name] === (lifespans[name] ?? null))) return client;
  const { result } = await ask(setLifespansDocument, { input: { ...by(client.clientId), lifespans } });
  return payloadOf(result).client;
}

export async function getClient({ ask }: DoorCall, [clientId = '']: readonly string[]): Promise<DoorAnswer> {
  const { found } = await ask(clientDocument, { clientId });
  return { status: 200, body: clientJson(foundOf(found)) };
}

export async function updateClient(call: DoorCall, [clientId = '']: readonly string[]): Promise<DoorAnswer> {
  const body = await readBody(call, clientType);
  const lifespans = lifespansOf(body);
  const input = { ...by(clientId), client: settingsOf(body), clientSecret: body.client_secret };
  const { result } = await call.ask(updateClientDocument, { input });
  const changed = payloadOf(result);
  const client = await withLifespans(call, changed.client, lifespans);
  return { status: 200, body: withSecret(client, changed.clientSecret) };
}

const patchType = z.array(
  z.object({
    op: z.string(),
    path: z.string(),
    from: z.string().nullish(),
    value: z.unknown().optional(),
  }),
);

export async function patchClient(call: DoorCall, [clientId = '']: readonly string[]): Promise<DoorAnswer> {
  const patch = await readBody(call, patchType);
  const { result } = await call.ask(patchClientDocument, { input: { ...by(clientId), patch } });
  const { client, clientSecret } = payloadOf(result);
  return { status: 200, body: withSecret(client, clientSecret) };
}

export async function deleteClient(
  { ask }: DoorCall,
  [clientId = '']: readonly string[],
): Promise<DoorAnswer> {
  const { result } = await ask(deleteClientDocument, { input: by(clientId) });
  payloadOf(result);
  return { status: 204 };
}

export async function setLifespans(call: DoorCall, [clientId = '']: readonly string[]): Promise<DoorAnswer> {
  const lifespans = lifespansOf(await readBody(call, object));
  const { result } = await call.ask(setLifespansDocument, { input: { ...by(clientId), lifespans } });
  return { status: 200, body: clientJson(payloadOf(result).client) };
}

export async function rotateSecret(
  { ask }: DoorCall,
  [clientId = '']: readonly string[],
): Promise<DoorAnswer> {
  const { result } = await ask(rotateSecretDocument, { input: by(clientId) });
  const { client, clientSecret } = payloadOf(result);
  return { status: 200, body: withSecret(client, clientSecret) };
}

export async function deleteRotatedSecrets(
  { ask }: DoorCall,
  [clientId = '']: readonly string[],
): Promise<DoorAnswer> {
  const { result } = await ask(deleteRotatedSecretsDocument, { input: by(clientId) });
  return { status: 200, body: clientJson(payloadOf(result).client) };
}

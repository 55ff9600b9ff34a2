import {
  deleteRegistration,
  type Registration,
  readRegistration,
  registerClient,
  updateRegistration,
  WrongRegistrationTokenError,
} from '../oauth/commands/register-client.ts';
import { type Metadata, RegistrationFault } from '../oauth/domain/registration.ts';
import { serverConfig } from '../platform/config/server.ts';
import { answerJson, refusal } from './answer.ts';
import { readJson } from './body.ts';
import type { Exchange } from './exchange.ts';
import { chargeProtocol } from './protocol-rate.ts';

/** Dynamic registration of clients (RFC 7591) and its management (RFC 7592), if OAUTH_REGISTRATION is on. */

const MAX_BYTES = 64 * 1024;
/** A registration stays for ever, so a stranger can make few of them. */
const COST = 50_000;

/** `POST /oauth2/register` */
export async function answerRegistration(exchange: Exchange): Promise<void> {
  const { signIn, response } = exchange;
  await answered(exchange, async () => {
    chargeProtocol(exchange, COST);
    const metadata = await metadataOf(exchange);
    answerJson(response, 201, await registerClient(signIn.publicUrl, metadata, signIn.address));
  });
}

/** `GET`, `PUT` and `DELETE /oauth2/register/{client id}` with the registration token as a bearer token. */
export async function answerRegistered(exchange: Exchange): Promise<void> {
  const { request, response, url, signIn } = exchange;
  await answered(exchange, async () => {
    chargeProtocol(exchange);
    const [, token = ''] = /^bearer ([^ ]+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const key = { clientId: decoded(url.pathname.slice('/oauth2/register/'.length)), token };
    if (request.method === 'DELETE') {
      await deleteRegistration(key, signIn.address);
      response.writeHead(204, { 'cache-control': 'no-store' }).end();
      return;
    }
    const registration: Registration =
      request.method === 'PUT'
        ? await updateRegistration(signIn.publicUrl, key, await metadataOf(exchange), signIn.address)
        : await readRegistration(signIn.publicUrl, key);
    answerJson(response, 200, registration);
  });
}

async function answered({ response }: Exchange, work: () => Promise<void>): Promise<void> {
  if (!serverConfig.oauth.registration.isOn) throw refusal('NOT_FOUND', 'this address does not exist');
  try {
    await work();
  } catch (error) {
    if (error instanceof RegistrationFault)
      return answerJson(response, 400, { error: error.error, error_description: error.message });
    if (!(error instanceof WrongRegistrationTokenError)) throw error;
    // The same for an unknown client and for a wrong token.
    const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };
    answerJson(response, 401, { error: 'invalid_token' }, challenge);
  }
}

async function metadataOf({ request }: Exchange): Promise<Metadata> {
  const body = await readJson(request, MAX_BYTES);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RegistrationFault('the metadata must be a JSON object');
  return body as Metadata;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

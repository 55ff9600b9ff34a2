import { IncomingMessage } from 'node:http';
import { answerOAuth } from '../oauth/answer-oauth.ts';
import { recordIdOf } from '../oauth/domain/token-records.ts';
import { publicClientConfig } from '../oauth/public-client-config.ts';
import { answerJson, failureOf, refusal } from './answer.ts';
import { readForm } from './body.ts';
import type { Exchange } from './exchange.ts';
import { chargeProtocol } from './protocol-rate.ts';

/** The endpoints of the engine that are about a token in their form. The engine refuses JWTs there. */
const tokenPaths = ['/oauth2/introspect', '/oauth2/revoke'];
/** The forms that are read before the engine, which replaces what is not UTF-8 and stores what it has made of it. */
const formsReadBefore = [...tokenPaths, '/oauth2/par', '/oauth2/device/auth'];
const MAX_FORM_BYTES = 56 * 1024;

/** What strangers are charged for requests that store something. */
const costs: Readonly<Record<string, number>> = { '/oauth2/auth': 1000, '/oauth2/par': 1000 };

/** The endpoints of OAuth 2 and OpenID Connect, at Hydra's paths. */
export async function answerProtocol(exchange: Exchange): Promise<void> {
  const { request, response, url, signIn } = exchange;
  if (request.method !== 'OPTIONS') chargeProtocol(exchange, costs[url.pathname]);
  // The engine would believe the host of an absolute address.
  request.url = `${url.pathname}${url.search}`;
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  if (!isForm || !formsReadBefore.includes(url.pathname)) return await answerOAuth(request, response, signIn);
  let form: URLSearchParams;
  try {
    form = await readForm(request, MAX_FORM_BYTES);
  } catch (error) {
    const { code, status, message, headers } = failureOf(error);
    if (code === 'INTERNAL') throw error;
    return answerJson(response, status, { error: 'invalid_request', error_description: message }, headers);
  }
  if (tokenPaths.includes(url.pathname)) replaceTokens(form);
  await answerOAuth(withForm(request, form), response, signIn);
}

/** Puts the id of its record in place of a token. */
function replaceTokens(form: URLSearchParams): void {
  const tokens = form.getAll('token');
  form.delete('token');
  for (const token of tokens) form.append('token', recordIdOf(token));
}

/** The same request with another form. */
function withForm(request: IncomingMessage, form: URLSearchParams): IncomingMessage {
  const body = Buffer.from(form.toString());
  const { method, url, headers, httpVersion, httpVersionMajor, httpVersionMinor } = request;
  const copy = new IncomingMessage(request.socket);
  // Without `complete`, Node would take the end of the copy for a client that has gone, and close the connection.
  Object.assign(copy, { method, url, httpVersion, httpVersionMajor, httpVersionMinor, complete: true });
  copy.headers = { ...headers, 'content-length': String(body.length) };
  delete copy.headers['transfer-encoding'];
  copy.push(body);
  copy.push(null);
  return copy;
}

/** An address of this length passes all proxies. */
const MAX_REQUEST_BYTES = 7 * 1024;

/**
 * `POST /oauth2/auth`: sends the browser to the same request with GET. A browser does not send our cookies with a form
 * of another site, but does with this redirect. Source: OpenID Connect Core §3.1.2.1.
 */
export async function redirectForm(exchange: Exchange): Promise<void> {
  const { request, response, signIn } = exchange;
  chargeProtocol(exchange);
  const parameters = await readForm(request, MAX_REQUEST_BYTES);
  const headers = { location: `${signIn.publicUrl}/oauth2/auth?${parameters}`, 'cache-control': 'no-store' };
  response.writeHead(303, headers).end();
}

/** `GET /config/v1/flyte_client`. Source: the HTTP gateway of Flyte's AuthMetadataService. */
export async function answerFlyteClient({ response, signIn }: Exchange): Promise<void> {
  const config = await publicClientConfig(signIn.publicUrl);
  if (!config) throw refusal('NOT_FOUND', 'the client flytectl has no redirect URI');
  answerJson(response, 200, {
    client_id: config.clientId,
    redirect_uri: config.redirectUri,
    scopes: config.scopes,
    authorization_metadata_key: config.authorizationMetadataKey,
    service_http_endpoint: config.serviceHttpEndpoint,
    audience: config.audience,
  });
}

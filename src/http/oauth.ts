import { answerOAuth } from '../oauth/answer-oauth.ts';
import { publicClientConfig } from '../oauth/public-client-config.ts';
import { answerJson, refusal } from './answer.ts';
import { isInUtf8, readForm } from './body.ts';
import type { Exchange } from './exchange.ts';
import { chargeProtocol } from './protocol-rate.ts';

/** What strangers are charged for requests that store something. */
const costs: Readonly<Record<string, number>> = { '/oauth2/auth': 1000, '/oauth2/par': 1000 };

const notInUtf8 = { error: 'invalid_request', error_description: 'the charset must be utf-8' };

/** The endpoints of OAuth 2 and OpenID Connect, at Hydra's paths. */
export async function answerProtocol(exchange: Exchange): Promise<void> {
  const { request, response, url, signIn } = exchange;
  if (request.method !== 'OPTIONS') chargeProtocol(exchange, costs[url.pathname]);
  // The engine would believe the host of an absolute address.
  request.url = `${url.pathname}${url.search}`;
  if (!isInUtf8(request)) return answerJson(response, 415, notInUtf8);
  await answerOAuth(request, response, signIn);
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

import { answerOAuth, findUserInfo } from '../oauth/answer-oauth.ts';
import { publicClientConfig } from '../oauth/public-client-config.ts';
import { answerJson, refusal } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** The endpoints of OAuth 2 and OpenID Connect, at Hydra's paths. */
export async function answerProtocol({ request, response, url, signIn }: Exchange): Promise<void> {
  // The engine would believe the host of an absolute address.
  request.url = `${url.pathname}${url.search}`;
  await answerOAuth(request, response, signIn.publicUrl);
}

/** `GET /userinfo` and `POST /userinfo`, with `Authorization: Bearer`. Source: OpenID Connect Core §5.3. */
export async function answerUserInfo({ request, response, signIn }: Exchange): Promise<void> {
  const [scheme = '', token = ''] = (request.headers.authorization ?? '').split(' ');
  const isBearer = scheme.toLowerCase() === 'bearer' && token !== '';
  const refuse = (status: number, error: string | null) => {
    const challenge = error === null ? 'Bearer' : `Bearer error="${error}"`;
    answerJson(response, status, { error: error ?? 'invalid_request' }, { 'www-authenticate': challenge });
  };
  if (!isBearer) return refuse(401, null);
  const info = await findUserInfo(signIn.publicUrl, token);
  if (info === null) return refuse(401, 'invalid_token');
  if (info === 'UNSCOPED') return refuse(403, 'insufficient_scope');
  answerJson(response, 200, info);
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

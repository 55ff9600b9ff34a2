import { answerOAuth, findUserInfo } from '../oauth/answer-oauth.ts';
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

/** The pages of a login app that is not configured. */
export async function answerFallback({ url }: Exchange): Promise<void> {
  const page = url.pathname.split('/').at(-1) ?? '';
  const variable = page === 'consent' ? 'OAUTH_CONSENT_URL' : 'OAUTH_LOGIN_URL';
  throw refusal('UNIMPLEMENTED', `this server has no ${page} page: its operator has not set ${variable}`);
}

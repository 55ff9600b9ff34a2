import { answerOAuth } from '../oauth/answer-oauth.ts';
import { refusal } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** The endpoints of OAuth 2 and OpenID Connect, at Hydra's paths. */
export async function answerProtocol({ request, response, url, signIn }: Exchange): Promise<void> {
  // The engine would believe the host of an absolute address.
  request.url = `${url.pathname}${url.search}`;
  await answerOAuth(request, response, signIn.publicUrl);
}

/** The pages of a login app that is not configured. */
export async function answerFallback({ url }: Exchange): Promise<void> {
  const page = url.pathname.split('/').at(-1) ?? '';
  const variable = page === 'consent' ? 'OAUTH_CONSENT_URL' : 'OAUTH_LOGIN_URL';
  throw refusal('UNIMPLEMENTED', `this server has no ${page} page: its operator has not set ${variable}`);
}

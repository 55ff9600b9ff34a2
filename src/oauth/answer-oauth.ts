import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerByProvider, currentProvider } from './provider/current-provider.ts';
import type { PresentedToken } from './provider/userinfo.ts';
import { noteAddress } from './request-address.ts';

/**
 * Lets the protocol engine answer a request. The address of the server is the configured one, whatever the request says
 * in Host and X-Forwarded-…: endpoints, redirects and the audience of client assertions depend on it.
 *
 * @param publicUrl  the URL of the server for its callers.
 * @param address  the IP address of the caller.
 */
export async function answerOAuth(
  request: IncomingMessage,
  response: ServerResponse,
  { publicUrl: issuer, address }: { readonly publicUrl: string; readonly address: string | null },
): Promise<void> {
  const { host, protocol, pathname } = new URL(issuer);
  noteAddress(request, address);
  for (const name of Object.keys(request.headers))
    if (name.startsWith('x-forwarded-') || name === 'forwarded') delete request.headers[name];
  request.headers.host = host;
  // A proxy may have removed a path in front of ours. The engine puts it before the paths of its endpoints.
  if (pathname !== '/') Object.assign(request, { baseUrl: pathname });
  if (protocol === 'https:') request.headers['x-forwarded-proto'] = 'https';
  await answerByProvider(issuer, request, response);
}

/** Whom an access token is about: see `userInfo` of provider/userinfo.ts. */
export async function findUserInfo(issuer: string, presented: PresentedToken) {
  const provider = await currentProvider(issuer);
  const { userInfo } = await import('./provider/userinfo.ts');
  return await userInfo(provider, presented);
}

import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { answerOAuth } from './answer-oauth.ts';

/** What the server says about itself. Source: RFC 8414 §2. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly device_authorization_endpoint?: string;
  readonly jwks_uri: string;
  readonly userinfo_endpoint: string;
  readonly revocation_endpoint: string;
  readonly introspection_endpoint: string;
  readonly end_session_endpoint?: string;
  readonly response_types_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
}

/**
 * The document of `/.well-known/oauth-authorization-server`. It is asked of the engine, in this process, because only
 * the engine knows it.
 *
 * @param issuer  the URL of the server for its callers.
 */
export async function serverMetadata(issuer: string): Promise<ServerMetadata> {
  const request = Object.assign(new IncomingMessage(new Socket()), {
    method: 'GET',
    url: '/.well-known/openid-configuration',
  });
  const response = new ServerResponse(request);
  const written = new Promise<string>((resolve) => {
    response.end = (text: unknown) => {
      resolve(String(text));
      return response;
    };
  });
  await answerOAuth(request, response, { publicUrl: issuer, address: null });
  return JSON.parse(await written);
}

import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { CliError } from './cli-error.ts';
import type { StoredSignIn } from './credentials.ts';

/** The command line as a public client of the server: signs in with the device flow, renews and ends its sign-in. */

const CLIENT_ID = 'slipway-cli';
const SCOPE = 'offline all';

const metadataType = z.object({
  token_endpoint: z.url(),
  device_authorization_endpoint: z.url(),
  revocation_endpoint: z.url(),
});
const deviceType = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  verification_uri_complete: z.string().optional(),
  expires_in: z.number(),
  interval: z.number().default(5),
});
const tokensType = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number(),
});
const refusalType = z.object({ error: z.string(), error_description: z.string().optional() });

export interface DevicePrompt {
  readonly userCode: string;
  readonly url: string;
  /** With the code in it. */
  readonly completeUrl: string;
}

/** A server, and how long a call to it may take. */
interface Server {
  readonly url: string;
  readonly timeoutSeconds: number;
}

/**
 * Waits until a person has signed in on a page of the server. Source: RFC 8628.
 *
 * @param show  tells the person where to go and what to enter.
 * @throws CliError PERMISSION_DENIED if she refuses, DEADLINE_EXCEEDED if the code expires before.
 */
export async function deviceSignIn(
  server: Server,
  show: (prompt: DevicePrompt) => void,
): Promise<StoredSignIn> {
  const { device_authorization_endpoint, token_endpoint } = await metadata(server);
  const begun = await post(server, device_authorization_endpoint, { client_id: CLIENT_ID, scope: SCOPE });
  const device = readAs(deviceType, begun, server);
  const { verification_uri: url, verification_uri_complete: completeUrl = url } = device;
  show({ userCode: device.user_code, url, completeUrl });
  let seconds = device.interval;
  for (let waited = 0; waited < device.expires_in; waited += seconds) {
    await pause(seconds * 1000);
    const answer = await post(server, token_endpoint, {
      client_id: CLIENT_ID,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device.device_code,
    });
    if (answer.isOk) return signInOf(readAs(tokensType, answer, server));
    const { error } = readAs(refusalType, answer, server);
    if (error === 'slow_down') seconds += 5;
    else if (error === 'access_denied')
      throw new CliError('PERMISSION_DENIED', 'the sign-in was refused in the browser');
    else if (error !== 'authorization_pending') break;
  }
  throw new CliError('DEADLINE_EXCEEDED', 'nobody has entered the code in time', {
    hint: 'begin again with slipway login',
  });
}

/** @throws CliError UNAUTHENTICATED if the server does not renew the sign-in any more. */
export async function renewSignIn(server: Server, refreshToken: string): Promise<StoredSignIn> {
  const { token_endpoint } = await metadata(server);
  const form = { client_id: CLIENT_ID, grant_type: 'refresh_token', refresh_token: refreshToken };
  const answer = await post(server, token_endpoint, form);
  if (answer.isOk) return signInOf(readAs(tokensType, answer, server));
  throw new CliError('UNAUTHENTICATED', 'your sign-in has ended', { hint: 'sign in with slipway login' });
}

/** Ends all tokens of a sign-in. */
export async function endSignIn(server: Server, { refreshToken, accessToken }: StoredSignIn): Promise<void> {
  const { revocation_endpoint } = await metadata(server);
  const answer = await post(server, revocation_endpoint, {
    client_id: CLIENT_ID,
    token: refreshToken ?? accessToken,
  });
  if (!answer.isOk) throw unexpected(server);
}

const signInOf = ({ access_token, refresh_token, expires_in }: z.infer<typeof tokensType>): StoredSignIn => ({
  accessToken: access_token,
  refreshToken: refresh_token ?? null,
  expiresAt: Date.now() + expires_in * 1000,
});

interface Answer {
  readonly isOk: boolean;
  readonly body: unknown;
}

async function metadata(server: Server): Promise<z.infer<typeof metadataType>> {
  const url = `${server.url.replace(/\/+$/, '')}/.well-known/oauth-authorization-server`;
  return readAs(metadataType, await send(server, url, {}), server);
}

const post = (server: Server, url: string, form: Record<string, string>): Promise<Answer> =>
  send(server, url, { method: 'POST', body: new URLSearchParams(form) });

async function send({ timeoutSeconds }: Server, url: string, init: RequestInit): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const response = await fetch(url, { ...init, redirect: 'error', signal });
    const text = await response.text();
    return { isOk: response.ok, body: text === '' ? {} : JSON.parse(text) };
  } catch (cause) {
    throw new CliError('UNAVAILABLE', `${url} does not answer as a server of Slipway`, { cause });
  }
}

function readAs<T>(type: z.ZodType<T>, { body }: Answer, server: Server): T {
  const { success, data } = type.safeParse(body);
  if (success) return data;
  throw unexpected(server);
}

const unexpected = ({ url }: Server) =>
  new CliError('UNAVAILABLE', `${url} gave an answer that this version does not understand`);

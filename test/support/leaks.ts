/**
 * Nothing that the server says may hold a password, a secret, a hash or a token, but the one answer that hands it over.
 * Every test file is a test of that: this keeps each log line, each answer over HTTP and each frame over WebSocket that
 * the file's server made, and what was secret meanwhile, and looks for the one in the other when the file is done.
 */
import { ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { WebSocket } from 'ws';

interface Said {
  readonly where: 'log' | 'answer' | 'frame' | 'audit log';
  readonly text: string;
}

const MAX_KEPT_CHARACTERS = 16 * 1024 * 1024;
/** Shorter ones occur in any text. */
const MIN_SECRET = 8;

const secrets = new Map<string, string>();
const leaks = new Set<string>();
let said: Said[] = [];
let kept = 0;

/** From now on, `secret` may not be said. */
export function keepSecret(what: string, secret: string): void {
  if (secret.length >= MIN_SECRET) secrets.set(secret, what);
}

export function keepSaid(where: Said['where'], text: string): void {
  said.push({ where, text });
  kept += text.length;
  if (kept > MAX_KEPT_CHARACTERS) search();
}

/** What is secret by its form, whoever made it. */
const forms: readonly (readonly [string, RegExp])[] = [
  ['a password hash', /\$argon2id?\$/],
  ['a token', /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/],
  ['a private key', /"d"\s*:\s*"[\w-]{20,}"/],
];

/**
 * The answers that hand a secret over, once: as the value of these fields, in the cookie that is made of it, and, for
 * Hydra's clients, as a set of one key, which is the answer that creates it.
 */
const handedOver =
  /"(?:token|secretKey|clientSecret|client_secret|access_token|refresh_token|id_token)":"[^"]*"|"privateJwk":\{[^{}]*\}|^\{"keys":\[\{[^{}]*\}\]\}$/g;

/** The answer of /userinfo for a client that wants it signed: it opens nothing. */
const signedAnswer = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** What stands in a text as base64: the secret of a Basic header, say. */
function decoded(text: string): string[] {
  return (text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? []).map((part) =>
    Buffer.from(part, 'base64').toString('utf8'),
  );
}

function search(): void {
  for (const { where, text } of said) {
    const isSignedAnswer = where === 'answer' && signedAnswer.test(text);
    const rest = isSignedAnswer ? '' : text;
    const shown = where === 'answer' || where === 'frame' ? rest.replaceAll(handedOver, '') : text;
    const texts = [shown, ...decoded(shown)];
    const found = [...secrets].find(([secret]) => texts.some((one) => one.includes(secret)))?.[1];
    const form = forms.find(([, pattern]) => pattern.test(shown))?.[0];
    const what = found ?? form;
    if (what) leaks.add(`${what} in ${where}: ${shown.slice(0, 500)}`);
  }
  said = [];
  kept = 0;
}

/** @returns what was said and should not have been. */
export function foundLeaks(): string[] {
  search();
  return [...leaks];
}

/** Listens to every answer and frame of this process. @returns what ends that. */
export function listenToAnswers(): () => void {
  const { write, end } = ServerResponse.prototype;
  const listened = <Method extends typeof write | typeof end>(method: Method) =>
    function (this: ServerResponse, ...args: unknown[]) {
      const [chunk] = args;
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) keepSaid('answer', readable(this, chunk));
      return (method as (...rest: unknown[]) => unknown).apply(this, args);
    };
  ServerResponse.prototype.write = listened(write) as typeof write;
  ServerResponse.prototype.end = listened(end) as typeof end;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (this: WebSocket, ...args: unknown[]) {
    // What clients of the same process send is theirs.
    const isServers = (this as unknown as { _isServer: boolean })._isServer;
    if (isServers && typeof args[0] === 'string') keepSaid('frame', args[0]);
    return (send as (...rest: unknown[]) => void).apply(this, args);
  } as typeof send;
  return () => {
    Object.assign(ServerResponse.prototype, { write, end });
    WebSocket.prototype.send = send;
  };
}

function readable(response: ServerResponse, chunk: string | Uint8Array): string {
  const isPage = String(response.getHeader('content-type')).startsWith('text/html');
  if (isPage) return '';
  if (typeof chunk === 'string') return chunk;
  const isCompressed = response.getHeader('content-encoding') === 'gzip';
  return Buffer.from(isCompressed ? gunzipSync(chunk) : chunk).toString('utf8');
}

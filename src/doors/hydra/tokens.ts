import { z } from 'zod';
import { type DoorAnswer, type DoorCall, foundOf, payloadOf } from '../door.ts';
import { missing, parameter, readBody } from './bodies.ts';
import { hydraMembers } from './names.ts';
import { deleteTokensDocument, flushTokensDocument, introspectDocument } from './token-documents.ts';

/** The operations on tokens, at Hydra's addresses. Source: Hydra v1.11.10 and v26.2, `oauth2/handler.go`. */

const uses = { ACCESS_TOKEN: 'access_token', REFRESH_TOKEN: 'refresh_token' } as const;

/** A token that is not valid is `{"active": false}`, and nothing else. Source: RFC 7662 §2.2. */
export async function introspectToken(call: DoorCall): Promise<DoorAnswer> {
  const form = await call.form();
  const token = form.get('token');
  if (!token) throw missing('token');
  const scopes = (form.get('scope') ?? '').split(' ').filter(Boolean);
  // The server needs no `token_type_hint`.
  const { found } = await call.ask(introspectDocument, { token, scopes });
  const { active, audience, clientId, expiresAt, issuedAt, tokenUse, ...rest } = foundOf(found);
  if (!active) return { status: 200, body: { active } };
  const { issuer: iss, subject: sub, obfuscatedSubject, scope, tokenType, username, ext } = rest;
  const times = { exp: secondsOf(expiresAt), iat: secondsOf(issuedAt), nbf: secondsOf(issuedAt) };
  const members = { active, clientId, iss, sub, obfuscatedSubject, scope, tokenType, username, ...times };
  const body = { ...hydraMembers(members), aud: audience, ...(ext ? { ext } : {}) };
  return { status: 200, body: { ...body, ...(tokenUse ? { token_use: uses[tokenUse] } : {}) } };
}

const secondsOf = (instant: string | null) => (instant ? Math.floor(Date.parse(instant) / 1000) : null);

export async function deleteTokens(call: DoorCall): Promise<DoorAnswer> {
  const clientId = parameter(call, 'client_id');
  const { result } = await call.ask(deleteTokensDocument, { input: { by: { clientId } } });
  payloadOf(result);
  return { status: 204 };
}

export async function flushTokens(call: DoorCall): Promise<DoorAnswer> {
  const { notAfter } = await readBody(call, z.object({ notAfter: z.string().nullish() }));
  const { result } = await call.ask(flushTokensDocument, { input: { notAfter } });
  payloadOf(result);
  return { status: 204 };
}

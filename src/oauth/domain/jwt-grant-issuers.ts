import type { JWK } from 'jose';
import { type KeyParts, readImportedKey } from '../../key-sets/domain/imported-keys.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { isStorable } from '../../platform/text.ts';
import { signingAlgorithms } from './client-settings.ts';
import { wordsOf } from './scopes.ts';

/** An issuer whose JWTs clients may exchange for tokens. Source: RFC 7523 §3, Hydra's trusted JWT grant issuers. */
export interface JwtGrantTrust {
  readonly issuer: string;
  /** The person whom its JWTs may name; null for everybody. */
  readonly subject: string | null;
  readonly scopes: readonly string[];
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly expiresAt: Date;
}

export interface JwtGrantTrustRequest {
  readonly issuer: string;
  readonly subject: string | null;
  readonly allowAnySubject: boolean;
  readonly scopes: readonly string[];
  readonly jwk: unknown;
  readonly expiresAt: Date;
}

const MAX_TEXT = 255;
const MAX_SCOPES = 100;

/** @throws InvalidArgumentError with all problems. */
export function readTrust(request: JwtGrantTrustRequest, now: Date): JwtGrantTrust {
  const { issuer, subject, allowAnySubject, scopes, expiresAt } = request;
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  const isName = (text: string) => text !== '' && text.length <= MAX_TEXT && isStorable(text);
  if (!isName(issuer)) fault('issuer', `must have 1 to ${MAX_TEXT} characters`);
  if (subject !== null && !isName(subject)) fault('subject', `must have 1 to ${MAX_TEXT} characters`);
  if ((subject !== null) === allowAnySubject)
    fault('subject', 'give either a subject or allowAnySubject, and not both');
  if (scopes.length > MAX_SCOPES) fault('scopes', `must have at most ${MAX_SCOPES} entries`);
  if (!scopes.every((scope) => isName(scope) && wordsOf(scope).length === 1))
    fault('scopes', `each must have 1 to ${MAX_TEXT} characters and no spaces`);
  if (expiresAt <= now) fault('expiresAt', 'must be in the future');
  const key = readPublicKey(request.jwk);
  if (Array.isArray(key)) problems.push(...key);
  if (problems.length > 0 || Array.isArray(key)) throw new InvalidArgumentError(problems);
  return { issuer, subject, scopes: [...new Set(scopes)], kid: key.kid, publicJwk: key.publicJwk, expiresAt };
}

function readPublicKey(jwk: unknown): KeyParts | Problem[] {
  const path = ['input', 'jwk'];
  const key = readImportedKey(jwk, path);
  if (Array.isArray(key)) return key;
  const fault = (member: string, message: string): Problem[] => [
    { path: [...path, member], code: 'InvalidValue', message },
  ];
  if (!(signingAlgorithms as readonly string[]).includes(key.alg))
    return fault('alg', `must be one of ${signingAlgorithms.join(', ')}`);
  if (key.privateJwk) return fault('d', 'must be left out: give only the public part of the key');
  return key;
}

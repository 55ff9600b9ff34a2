import { findUserInfo } from '../oauth/answer-oauth.ts';
import { currentNonce } from '../sign-in/proofs/nonces.ts';
import { answerJson } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { chargeProtocol } from './protocol-rate.ts';

/**
 * `GET /userinfo` and `POST /userinfo`, with `Authorization: Bearer` or, for a token that is bound to a key,
 * `Authorization: DPoP` and the header `DPoP`. Source: OpenID Connect Core §5.3, RFC 9449 §7.
 */
export async function answerUserInfo(exchange: Exchange): Promise<void> {
  const { request, response, signIn } = exchange;
  const { authorization = '', origin, dpop } = request.headers;
  response.setHeader('vary', 'origin');
  response.setHeader('access-control-expose-headers', 'dpop-nonce, www-authenticate');
  if (request.method === 'OPTIONS') {
    // The token says which pages may read the answer, and a preflight request has none.
    if (origin) response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-methods', 'GET, POST');
    response.setHeader('access-control-allow-headers', 'authorization, dpop');
    response.writeHead(204).end();
    return;
  }
  chargeProtocol(exchange);
  const [, scheme = '', token = ''] = /^(bearer|dpop) ([^ ]+)$/i.exec(authorization) ?? [];
  const proofs = request.headersDistinct['dpop'] ?? [];
  const isProven = scheme.toLowerCase() === 'dpop';
  const refuse = (status: number, error: string | null) => {
    const reason = error === null ? '' : ` error="${error}"`;
    const challenges = [`Bearer${isProven ? '' : reason}`, `DPoP${isProven ? reason : ''}`];
    const headers = { 'www-authenticate': challenges };
    answerJson(response, status, { error: error ?? 'invalid_request' }, headers);
  };
  if (token === '') return refuse(401, null);
  if (isProven !== (proofs.length === 1)) return refuse(401, 'invalid_token');
  if (isProven) response.setHeader('dpop-nonce', currentNonce());
  const proof = isProven ? String(dpop) : null;
  const method = request.method ?? '';
  const info = await findUserInfo(signIn.publicUrl, { token, proof, method, origin: origin ?? null });
  if (info === null) return refuse(401, 'invalid_token');
  if (origin && info.isReadable) response.setHeader('access-control-allow-origin', origin);
  if ('refusal' in info)
    return info.refusal === 'OLD_NONCE' ? refuse(401, 'use_dpop_nonce') : refuse(403, 'insufficient_scope');
  if (info.jwt === null) answerJson(response, 200, info.claims);
  else
    response.writeHead(200, { 'content-type': 'application/jwt', 'cache-control': 'no-store' }).end(info.jwt);
}

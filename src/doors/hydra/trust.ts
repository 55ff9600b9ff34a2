import { z } from 'zod';
import type { JwtGrantIssuerFieldsFragment } from '../../generated/doors/graphql.ts';
import { type DoorAnswer, type DoorCall, DoorError, foundOf, payloadOf } from '../door.ts';
import { object, readBody } from './bodies.ts';
import { hydraMembers } from './names.ts';
import { listPage } from './pages.ts';
import {
  deleteJwtGrantIssuerDocument,
  jwtGrantIssuerCursorsDocument,
  jwtGrantIssuerDocument,
  jwtGrantIssuersDocument,
  trustJwtGrantIssuerDocument,
} from './trust-documents.ts';

/** Trusted issuers of JWTs, at Hydra's addresses. Source: Hydra v26.2, `oauth2/trust/handler.go`. */

const issuerJson = ({
  subject,
  scopes,
  ...issuer
}: JwtGrantIssuerFieldsFragment): Record<string, unknown> => ({
  ...hydraMembers(issuer),
  ...{ subject: subject ?? '', scope: scopes },
});

const trustType = z.strictObject({
  issuer: z.string(),
  subject: z.string().nullish(),
  allow_any_subject: z.boolean().nullish(),
  scope: z.array(z.string()).nullish(),
  jwk: object,
  expires_at: z.string(),
});

export async function trustIssuer(call: DoorCall): Promise<DoorAnswer> {
  const body = await readBody(call, trustType);
  const input = {
    ...{ issuer: body.issuer, subject: body.subject || null, jwk: body.jwk, expiresAt: body.expires_at },
    allowAnySubject: body.allow_any_subject ?? false,
    scopes: body.scope ?? [],
  };
  const { result } = await call.ask(trustJwtGrantIssuerDocument, { input });
  const { jwtGrantIssuer } = payloadOf(result);
  const location = `${call.path}/${jwtGrantIssuer.id}`;
  return { status: 201, headers: { location }, body: issuerJson(jwtGrantIssuer) };
}

export async function getTrustedIssuer({ ask }: DoorCall, [id = '']: readonly string[]): Promise<DoorAnswer> {
  const { found } = await ask(jwtGrantIssuerDocument, { id });
  return { status: 200, body: issuerJson(foundOf(found)) };
}

export async function listTrustedIssuers(call: DoorCall): Promise<DoorAnswer> {
  const issuer = call.query.get('issuer');
  const filter = issuer ? { issuer } : {};
  return await listPage(call, issuerJson, {
    read: (page) => call.ask(jwtGrantIssuersDocument, { filter, ...page }),
    skip: (page) => call.ask(jwtGrantIssuerCursorsDocument, { filter, ...page }),
  });
}

/** Deleting what does not exist is an error in Hydra, and none in our GraphQL. */
export async function deleteTrustedIssuer(
  { ask }: DoorCall,
  [id = '']: readonly string[],
): Promise<DoorAnswer> {
  const { result } = await ask(deleteJwtGrantIssuerDocument, { input: { by: { id } } });
  if (!payloadOf(result).deleted) throw new DoorError('NOT_FOUND', 'there is no such issuer');
  return { status: 204 };
}

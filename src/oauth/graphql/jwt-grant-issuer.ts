import type { JwtGrantIssuer } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { deleteJwtGrantIssuer, trustJwtGrantIssuer } from '../commands/trust-jwt-grant-issuer.ts';
import {
  countJwtGrantIssuers,
  type JwtGrantIssuerBy,
  jwtGrantIssuerOrder,
  listJwtGrantIssuers,
} from '../store/jwt-grant-issuers.ts';

const texts = {
  issuer: 'The issuer, as its JWTs name it in `iss`.',
  subject: 'The only person whom its JWTs may name in `sub`.',
  scopes: 'The scopes that clients may get with its JWTs.',
  expiresAt: 'Until when it is trusted.',
} as const;

const JwtGrantIssuerKey = builder.objectRef<JwtGrantIssuer>('JwtGrantIssuerKey').implement({
  description: 'The key with which an issuer signs its JWTs.',
  fields: (t) => ({
    set: t.exposeString('issuer', { description: 'The issuer, which has the key.' }),
    kid: t.exposeString('kid', { description: 'The id of the key, as JWTs name it in their header.' }),
  }),
});

export const JwtGrantIssuerType = builder.objectRef<JwtGrantIssuer>('JwtGrantIssuer').implement({
  description:
    'An issuer whose JWTs clients may exchange for tokens, with one of its keys. Source: RFC 7523.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    issuer: t.exposeString('issuer', { description: texts.issuer }),
    subject: t.string({
      nullable: true,
      description: `${texts.subject} Null if they may name everybody.`,
      resolve: ({ subject }) => subject || null,
    }),
    allowAnySubject: t.boolean({
      description: 'Whether its JWTs may name everybody.',
      resolve: ({ subject }) => subject === '',
    }),
    scopes: t.stringList({ description: texts.scopes, resolve: ({ scopes }) => scopes }),
    publicKey: t.field({
      type: JwtGrantIssuerKey,
      description: 'The key with which it signs.',
      resolve: (row) => row,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when it is trusted.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: texts.expiresAt }),
  }),
});

const JwtGrantIssuerByInput = builder.inputType('JwtGrantIssuerByInput', {
  description: 'The address of a trusted issuer.',
  isOneOf: true,
  fields: (t) => ({ id: t.id({ description: "The value of the issuer's field `id`." }) }),
});

const JwtGrantIssuerFilterInput = builder.inputType('JwtGrantIssuerFilterInput', {
  description: 'Which trusted issuers to list.',
  fields: (t) => ({ issuer: t.string({ description: 'Only this issuer.' }) }),
});

builder.queryFields((t) => ({
  jwtGrantIssuer: t.field({
    type: JwtGrantIssuerType,
    nullable: true,
    description:
      'One issuer whose JWTs clients of your tenant may exchange for tokens. Requires an administrator. Null and NOT_FOUND if it does not exist.',
    args: addressOf(JwtGrantIssuerByInput, 'trusted issuer'),
    resolve: (_root, { by }, { loaders }) => loaders.jwtGrantIssuer.load(by as JwtGrantIssuerBy),
  }),
  jwtGrantIssuers: t.connection(
    {
      type: JwtGrantIssuerType,
      description:
        'The issuers whose JWTs clients of your tenant may exchange for tokens, newest first, also those whose time is over. Requires an administrator.',
      args: { filter: t.arg({ type: JwtGrantIssuerFilterInput, description: 'Which issuers to list.' }) },
      resolve: (_root, { filter, ...args }, context) => {
        const { tenantId } = callerOf(context);
        const issuer = filter?.issuer ?? null;
        return pagedList(
          args,
          jwtGrantIssuerOrder,
          (page) => listJwtGrantIssuers(tenantId, issuer, page),
          () => countJwtGrantIssuers(tenantId, issuer),
        );
      },
    },
    connectionType(JwtGrantIssuerType),
  ),
}));

const TrustJwtGrantIssuerInput = builder.inputType('TrustJwtGrantIssuerInput', {
  description: 'The issuer to trust.',
  fields: (t) => ({
    issuer: t.string({ required: true, description: texts.issuer }),
    subject: t.string({ description: `${texts.subject} Give either this or \`allowAnySubject\`.` }),
    allowAnySubject: t.boolean({ defaultValue: false, description: 'Whether its JWTs may name everybody.' }),
    scopes: t.stringList({ defaultValue: [], description: texts.scopes }),
    jwk: t.field({
      type: 'JSON',
      required: true,
      description: 'The public key as a JSON Web Key with `kid` and `alg`, for signatures.',
    }),
    expiresAt: t.field({ type: 'DateTime', required: true, description: texts.expiresAt }),
  }),
});

const DeleteJwtGrantIssuerInput = builder.inputType('DeleteJwtGrantIssuerInput', {
  description: 'The issuer that is not to be trusted any more.',
  fields: (t) => ({
    by: t.field({
      type: JwtGrantIssuerByInput,
      required: true,
      description: 'Which trusted issuer. Give exactly one of the fields.',
    }),
  }),
});

const TrustJwtGrantIssuerPayload = builder
  .objectRef<{ readonly jwtGrantIssuer: JwtGrantIssuer }>('TrustJwtGrantIssuerPayload')
  .implement({
    description: 'What `trustJwtGrantIssuer` answers when it succeeds.',
    fields: (t) => ({
      jwtGrantIssuer: t.expose('jwtGrantIssuer', {
        type: JwtGrantIssuerType,
        description: 'The issuer.',
      }),
    }),
  });

const DeleteJwtGrantIssuerPayload = builder
  .objectRef<{ readonly deleted: boolean }>('DeleteJwtGrantIssuerPayload')
  .implement({
    description: 'What `deleteJwtGrantIssuer` answers when it succeeds.',
    fields: (t) => ({
      deleted: t.exposeBoolean('deleted', { description: 'False if there was no such issuer.' }),
    }),
  });

builder.mutationFields((t) => ({
  trustJwtGrantIssuer: t.field({
    type: TrustJwtGrantIssuerPayload,
    nullable: true,
    description:
      'Lets the clients of your tenant exchange JWTs of an issuer for tokens (RFC 7523). Requires an administrator.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(TrustJwtGrantIssuerInput),
    resolve: async (_root, { input }, context) => ({
      jwtGrantIssuer: await trustJwtGrantIssuer(callerOf(context), {
        ...{ issuer: input.issuer, subject: input.subject ?? null, jwk: input.jwk },
        allowAnySubject: input.allowAnySubject ?? false,
        ...{ scopes: input.scopes ?? [], expiresAt: input.expiresAt },
      }),
    }),
  }),
  deleteJwtGrantIssuer: t.field({
    type: DeleteJwtGrantIssuerPayload,
    nullable: true,
    description:
      'Ends the trust in an issuer. Tokens that were issued stay valid. Deleting again is no error. Requires an administrator.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteJwtGrantIssuerInput),
    resolve: async (_root, { input }, context) => ({
      deleted: await deleteJwtGrantIssuer(callerOf(context), String(input.by.id)),
    }),
  }),
}));

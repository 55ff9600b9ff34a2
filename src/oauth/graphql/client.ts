import { builder, type Json } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { addressOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { type LifespanName, type Lifespans, lifespanNames } from '../domain/client-settings.ts';
import { type ClientBy, type ClientRow, clientOrder, countClients, listClients } from '../store/clients.ts';
import { lifespanTexts, settingTexts } from './client-texts.ts';

const OAuth2ClientLifespans = builder.objectRef<Lifespans>('OAuth2ClientLifespans').implement({
  description: 'How long the tokens of a client are valid, by the grant that issues them.',
  fields: (t) => {
    const lifespan = (name: LifespanName) =>
      t.field({
        type: 'Duration',
        nullable: true,
        description: `${lifespanTexts[name]} Null: as the server says.`,
        resolve: (lifespans) => milliseconds(lifespans[name]),
      });
    return Object.fromEntries(lifespanNames.map((name) => [name, lifespan(name)])) as Record<
      LifespanName,
      ReturnType<typeof lifespan>
    >;
  },
});

const milliseconds = (seconds: number | null) => (seconds === null ? null : seconds * 1000);

type TextSetting = 'clientName' | 'scope' | 'tokenEndpointAuthMethod' | 'subjectType' | 'owner';
type OptionalSetting =
  | 'clientUri'
  | 'logoUri'
  | 'tosUri'
  | 'policyUri'
  | 'jwksUri'
  | 'sectorIdentifierUri'
  | 'tokenEndpointAuthSigningAlg'
  | 'requestObjectSigningAlg'
  | 'frontchannelLogoutUri'
  | 'backchannelLogoutUri'
  | 'accessTokenStrategy'
  | 'serviceAccount';
type ListSetting =
  | 'redirectUris'
  | 'grantTypes'
  | 'responseTypes'
  | 'audience'
  | 'requestUris'
  | 'allowedCorsOrigins'
  | 'postLogoutRedirectUris'
  | 'contacts';
type FlagSetting =
  | 'frontchannelLogoutSessionRequired'
  | 'backchannelLogoutSessionRequired'
  | 'skipConsent'
  | 'skipLogoutConsent';

export const OAuth2ClientType = builder.objectRef<ClientRow>('OAuth2Client').implement({
  description: 'A program that asks for tokens. Its secret is shown only once.',
  interfaces: [NodeInterface],
  fields: (t) => {
    const text = (name: TextSetting) =>
      t.string({ description: settingTexts[name], resolve: ({ settings }) => settings[name] });
    const optional = (name: OptionalSetting) =>
      t.string({
        nullable: true,
        description: `${settingTexts[name]} Null if it is not set.`,
        resolve: ({ settings }) => settings[name],
      });
    const texts = (name: ListSetting) =>
      t.stringList({ description: settingTexts[name], resolve: ({ settings }) => settings[name] });
    const flag = (name: FlagSetting) =>
      t.boolean({ description: settingTexts[name], resolve: ({ settings }) => settings[name] });
    return {
      clientId: t.exposeString('clientId', {
        description: 'The name by which the client asks for tokens, unique on the server.',
      }),
      clientName: text('clientName'),
      clientUri: optional('clientUri'),
      logoUri: optional('logoUri'),
      tosUri: optional('tosUri'),
      policyUri: optional('policyUri'),
      redirectUris: texts('redirectUris'),
      grantTypes: texts('grantTypes'),
      responseTypes: texts('responseTypes'),
      scope: text('scope'),
      audience: texts('audience'),
      tokenEndpointAuthMethod: text('tokenEndpointAuthMethod'),
      tokenEndpointAuthSigningAlg: optional('tokenEndpointAuthSigningAlg'),
      jwks: t.field({
        type: 'JSON',
        nullable: true,
        description: `${settingTexts.jwks} Null if they are not set.`,
        resolve: ({ settings }) => settings.jwks as Json | null,
      }),
      jwksUri: optional('jwksUri'),
      subjectType: text('subjectType'),
      sectorIdentifierUri: optional('sectorIdentifierUri'),
      userinfoSignedResponseAlg: t.string({
        description: settingTexts.userinfoSignedResponseAlg,
        resolve: ({ settings }) => settings.userinfoSignedResponseAlg,
      }),
      requestUris: texts('requestUris'),
      requestObjectSigningAlg: optional('requestObjectSigningAlg'),
      allowedCorsOrigins: texts('allowedCorsOrigins'),
      postLogoutRedirectUris: texts('postLogoutRedirectUris'),
      frontchannelLogoutUri: optional('frontchannelLogoutUri'),
      frontchannelLogoutSessionRequired: flag('frontchannelLogoutSessionRequired'),
      backchannelLogoutUri: optional('backchannelLogoutUri'),
      backchannelLogoutSessionRequired: flag('backchannelLogoutSessionRequired'),
      owner: text('owner'),
      contacts: texts('contacts'),
      metadata: t.field({
        type: 'JSON',
        description: settingTexts.metadata,
        resolve: ({ settings }) => settings.metadata as Json,
      }),
      accessTokenStrategy: optional('accessTokenStrategy'),
      skipConsent: flag('skipConsent'),
      skipLogoutConsent: flag('skipLogoutConsent'),
      serviceAccount: optional('serviceAccount'),
      lifespans: t.field({
        type: OAuth2ClientLifespans,
        description: 'How long its tokens are valid.',
        resolve: ({ settings }) => settings.lifespans,
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
      updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    };
  },
});

export const OAuth2ClientByInput = builder.inputType('OAuth2ClientByInput', {
  description: 'The address of a client.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The value of the client's field `id`." }),
    clientId: t.string({ description: 'The name by which the client asks for tokens.' }),
  }),
});

const OAuth2ClientFilterInput = builder.inputType('OAuth2ClientFilterInput', {
  description: 'Which clients to list. All conditions must hold.',
  fields: (t) => ({
    clientName: t.string({ description: 'Only clients with exactly this name.' }),
    owner: t.string({ description: 'Only clients of exactly this owner.' }),
    clientIds: t.stringList({ description: 'Only clients with one of these client ids.' }),
  }),
});

builder.queryFields((t) => ({
  oauth2Client: t.field({
    type: OAuth2ClientType,
    nullable: true,
    description:
      'One client of your tenant. Requires an administrator. Null and NOT_FOUND if it does not exist.',
    args: addressOf(OAuth2ClientByInput, 'client'),
    resolve: (_root, { by }, { loaders }) => loaders.oauth2Client.load(by as ClientBy),
  }),
  oauth2Clients: t.connection(
    {
      type: OAuth2ClientType,
      description: 'The clients of your tenant, by client id, ascending. Requires an administrator.',
      args: { filter: t.arg({ type: OAuth2ClientFilterInput, description: 'Which clients to list.' }) },
      resolve: (_root, { filter: given, ...args }, context) => {
        const { tenantId } = callerOf(context);
        const filter = {
          clientName: given?.clientName ?? null,
          owner: given?.owner ?? null,
          clientIds: given?.clientIds ?? null,
        };
        return pagedList(
          args,
          clientOrder,
          (page) => listClients(tenantId, filter, page),
          () => countClients(tenantId, filter),
        );
      },
    },
    connectionType(OAuth2ClientType),
  ),
}));

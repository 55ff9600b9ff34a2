import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import type {
  OAuth2ClientReference,
  OAuth2TokenRequest,
  RunAs,
  SecretReference,
  SecurityContext,
} from '../domain/payloads.ts';
import * as texts from './payload-texts.ts';
import { withoutNulls } from './without-nulls.ts';

const SecretMountRequirementEnum = enumOf<SecretReference['mountRequirement']>(
  'SecretMountRequirement',
  'How a task gets a secret.',
  {
    ANY: 'In the way that the engine chooses.',
    ENV_VAR: 'As an environment variable.',
    FILE: 'As a file.',
  },
);

const OAuth2TokenRequestTypeEnum = enumOf<OAuth2TokenRequest['type']>(
  'OAuth2TokenRequestType',
  'How a token is obtained from an OAuth 2 server.',
  { CLIENT_CREDENTIALS: 'With the id and the secret of a client, and without a user.' },
);

const SecretReferenceType = builder.objectRef<SecretReference>('SecretReference').implement({
  description: texts.secretReference.description,
  fields: (t) => ({
    group: t.exposeString('group', { description: texts.secretReference.group }),
    groupVersion: t.exposeString('groupVersion', {
      nullable: true,
      description: texts.secretReference.groupVersion,
    }),
    key: t.exposeString('key', { nullable: true, description: texts.secretReference.key }),
    mountRequirement: t.expose('mountRequirement', {
      type: SecretMountRequirementEnum,
      description: texts.secretReference.mountRequirement,
    }),
    envVar: t.exposeString('envVar', {
      nullable: true,
      description: `${texts.secretReference.envVar} Null if not set.`,
    }),
  }),
});

const OAuth2ClientReferenceType = builder
  .objectRef<OAuth2ClientReference>('OAuth2ClientReference')
  .implement({
    description: texts.oauth2Client.description,
    fields: (t) => ({
      clientId: t.exposeString('clientId', { description: texts.oauth2Client.clientId }),
      clientSecret: t.expose('clientSecret', {
        type: SecretReferenceType,
        nullable: true,
        description: `${texts.oauth2Client.clientSecret} Null if the client has none.`,
      }),
    }),
  });

const OAuth2TokenRequestType = builder.objectRef<OAuth2TokenRequest>('OAuth2TokenRequest').implement({
  description: texts.oauth2TokenRequest.description,
  fields: (t) => ({
    name: t.exposeString('name', { description: texts.oauth2TokenRequest.name }),
    type: t.expose('type', {
      type: OAuth2TokenRequestTypeEnum,
      description: texts.oauth2TokenRequest.type,
    }),
    client: t.expose('client', {
      type: OAuth2ClientReferenceType,
      nullable: true,
      description: `${texts.oauth2TokenRequest.client} Null if not set.`,
    }),
    idpDiscoveryEndpoint: t.exposeString('idpDiscoveryEndpoint', {
      nullable: true,
      description: `${texts.oauth2TokenRequest.idpDiscoveryEndpoint} Null if not set.`,
    }),
    tokenEndpoint: t.exposeString('tokenEndpoint', {
      nullable: true,
      description: `${texts.oauth2TokenRequest.tokenEndpoint} Null if not set.`,
    }),
  }),
});

const RunAsType = builder.objectRef<RunAs>('RunAs').implement({
  description: texts.runAs.description,
  fields: (t) => ({
    iamRole: t.exposeString('iamRole', { nullable: true, description: texts.runAs.iamRole }),
    k8sServiceAccount: t.exposeString('k8sServiceAccount', {
      nullable: true,
      description: texts.runAs.k8sServiceAccount,
    }),
    oauth2Client: t.expose('oauth2Client', {
      type: OAuth2ClientReferenceType,
      nullable: true,
      description: `${texts.runAs.oauth2Client} Null if not set.`,
    }),
    executionIdentity: t.exposeString('executionIdentity', {
      nullable: true,
      description: texts.runAs.executionIdentity,
    }),
  }),
});

export const SecurityContextType = builder.objectRef<SecurityContext>('SecurityContext').implement({
  description: texts.securityContext.description,
  fields: (t) => ({
    runAs: t.expose('runAs', {
      type: RunAsType,
      nullable: true,
      description: `${texts.securityContext.runAs} Null if not set.`,
    }),
    secrets: t.field({
      type: [SecretReferenceType],
      extensions: { listSize: 5 },
      description: texts.securityContext.secrets,
      resolve: ({ secrets = [] }) => [...secrets],
    }),
    tokens: t.field({
      type: [OAuth2TokenRequestType],
      extensions: { listSize: 5 },
      description: texts.securityContext.tokens,
      resolve: ({ tokens = [] }) => [...tokens],
    }),
  }),
});

const SecretReferenceInput = builder.inputType('SecretReferenceInput', {
  description: `${texts.secretReference.description} Give a group or a key, or both.`,
  fields: (t) => ({
    group: t.string({ required: true, description: texts.secretReference.group }),
    groupVersion: t.string({ description: texts.secretReference.groupVersion }),
    key: t.string({ description: texts.secretReference.key }),
    mountRequirement: t.field({
      type: SecretMountRequirementEnum,
      defaultValue: 'ANY',
      description: texts.secretReference.mountRequirement,
    }),
    envVar: t.string({ description: texts.secretReference.envVar }),
  }),
});

const OAuth2ClientReferenceInput = builder.inputType('OAuth2ClientReferenceInput', {
  description: texts.oauth2Client.description,
  fields: (t) => ({
    clientId: t.string({ required: true, description: texts.oauth2Client.clientId }),
    clientSecret: t.field({ type: SecretReferenceInput, description: texts.oauth2Client.clientSecret }),
  }),
});

const OAuth2TokenRequestInput = builder.inputType('OAuth2TokenRequestInput', {
  description: texts.oauth2TokenRequest.description,
  fields: (t) => ({
    name: t.string({ required: true, description: texts.oauth2TokenRequest.name }),
    type: t.field({
      type: OAuth2TokenRequestTypeEnum,
      defaultValue: 'CLIENT_CREDENTIALS',
      description: texts.oauth2TokenRequest.type,
    }),
    client: t.field({ type: OAuth2ClientReferenceInput, description: texts.oauth2TokenRequest.client }),
    idpDiscoveryEndpoint: t.string({ description: texts.oauth2TokenRequest.idpDiscoveryEndpoint }),
    tokenEndpoint: t.string({ description: texts.oauth2TokenRequest.tokenEndpoint }),
  }),
});

const RunAsInput = builder.inputType('RunAsInput', {
  description: texts.runAs.description,
  fields: (t) => ({
    iamRole: t.string({ description: texts.runAs.iamRole }),
    k8sServiceAccount: t.string({ description: texts.runAs.k8sServiceAccount }),
    oauth2Client: t.field({ type: OAuth2ClientReferenceInput, description: texts.runAs.oauth2Client }),
    executionIdentity: t.string({ description: texts.runAs.executionIdentity }),
  }),
});

export const SecurityContextInput = builder.inputType('SecurityContextInput', {
  description: `${texts.securityContext.description} Give at least one identity, secret or token.`,
  fields: (t) => ({
    runAs: t.field({ type: RunAsInput, description: texts.securityContext.runAs }),
    secrets: t.field({ type: [SecretReferenceInput], description: texts.securityContext.secrets }),
    tokens: t.field({ type: [OAuth2TokenRequestInput], description: texts.securityContext.tokens }),
  }),
});

type Given<Type extends { readonly $inferInput: unknown }> = NonNullable<Type['$inferInput']>;

/** The stored form of a security context. Empty lists say nothing, so they are not stored. */
export function securityContextOf({
  runAs,
  secrets,
  tokens,
}: Given<typeof SecurityContextInput>): SecurityContext {
  return withoutNulls({
    runAs: runAs && identityOf(runAs),
    secrets: secrets?.length ? secrets.map(secretOf) : null,
    tokens: tokens?.length ? tokens.map(tokenOf) : null,
  });
}

const secretOf = ({
  group,
  mountRequirement,
  ...others
}: Given<typeof SecretReferenceInput>): SecretReference => ({
  group,
  mountRequirement: mountRequirement ?? 'ANY',
  ...withoutNulls(others),
});

const clientOf = ({
  clientId,
  clientSecret,
}: Given<typeof OAuth2ClientReferenceInput>): OAuth2ClientReference => ({
  clientId,
  ...(clientSecret && { clientSecret: secretOf(clientSecret) }),
});

const identityOf = ({ oauth2Client, ...names }: Given<typeof RunAsInput>): RunAs => ({
  ...withoutNulls(names),
  ...(oauth2Client && { oauth2Client: clientOf(oauth2Client) }),
});

const tokenOf = ({
  name,
  type,
  client,
  ...addresses
}: Given<typeof OAuth2TokenRequestInput>): OAuth2TokenRequest => ({
  name,
  type: type ?? 'CLIENT_CREDENTIALS',
  ...(client && { client: clientOf(client) }),
  ...withoutNulls(addresses),
});

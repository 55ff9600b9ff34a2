import {
  anyone,
  can,
  type FieldArguments,
  type Lookup,
  type ObjectName,
  type RootRules,
} from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import type { ClientBy } from './store/clients.ts';

const clientAt = (byOf: (args: FieldArguments) => ClientBy): Lookup => ({
  kind: 'oauth2 client',
  key: (args) => addressText(byOf(args)),
  lookUp: (args, { loaders }) => loaders.oauth2Client.load(byOf(args)),
});

const clientOfInput = clientAt((args) => (args['input'] as { by: ClientBy }).by);

const newClient: ObjectName = {
  kind: 'oauth2 client',
  key: (args) => (args['input'] as { clientId?: string | null }).clientId || 'new client',
};

const challengeOfInput: ObjectName = {
  kind: 'challenge',
  key: (args) => (args['input'] as { challenge: string }).challenge.slice(0, 100),
};

export const oauthRules: RootRules = {
  Query: {
    oauth2Metadata: anyone,
    publicClientConfig: anyone,
    oauth2Client: can(
      'oauth2Client:read',
      clientAt((args) => args['by'] as ClientBy),
    ),
    oauth2Clients: can('oauth2Client:list'),
    loginRequest: can('loginRequest:answer'),
    consentRequest: can('loginRequest:answer'),
  },
  Mutation: {
    acceptLoginRequest: can('loginRequest:answer', challengeOfInput),
    rejectLoginRequest: can('loginRequest:answer', challengeOfInput),
    acceptConsentRequest: can('loginRequest:answer', challengeOfInput),
    rejectConsentRequest: can('loginRequest:answer', challengeOfInput),
    createOAuth2Client: can('oauth2Client:administer', newClient),
    updateOAuth2Client: can('oauth2Client:administer', clientOfInput),
    patchOAuth2Client: can('oauth2Client:administer', clientOfInput),
    setOAuth2ClientLifespans: can('oauth2Client:administer', clientOfInput),
    rotateOAuth2ClientSecret: can('oauth2Client:administer', clientOfInput),
    deleteRotatedOAuth2ClientSecrets: can('oauth2Client:administer', clientOfInput),
    deleteOAuth2Client: can('oauth2Client:administer', clientOfInput),
  },
};

import { graphql } from '../../generated/doors/gql.ts';

/** All operations that Hydra's clients ask. Their types are generated from these texts and `schema.graphql`. */

/** What every error of a mutation says. */
graphql(`
  fragment Refusal on Error {
    code
    message
    ... on InvalidArgumentError {
      problems {
        path
        message
      }
    }
    ... on ChallengeUsedError {
      redirectTo
    }
  }
`);

graphql(`
  fragment ClientFields on OAuth2Client {
    clientId
    clientName
    clientUri
    logoUri
    tosUri
    policyUri
    redirectUris
    grantTypes
    responseTypes
    scope
    audience
    tokenEndpointAuthMethod
    tokenEndpointAuthSigningAlg
    jwks
    jwksUri
    subjectType
    sectorIdentifierUri
    userinfoSignedResponseAlg
    requestUris
    requestObjectSigningAlg
    allowedCorsOrigins
    postLogoutRedirectUris
    frontchannelLogoutUri
    frontchannelLogoutSessionRequired
    backchannelLogoutUri
    backchannelLogoutSessionRequired
    owner
    contacts
    metadata
    accessTokenStrategy
    skipConsent
    skipLogoutConsent
    serviceAccount
    lifespans {
      authorizationCodeAccessToken
      authorizationCodeIdToken
      authorizationCodeRefreshToken
      clientCredentialsAccessToken
      deviceCodeAccessToken
      deviceCodeIdToken
      deviceCodeRefreshToken
      implicitAccessToken
      implicitIdToken
      jwtBearerAccessToken
      refreshTokenAccessToken
      refreshTokenIdToken
      refreshTokenRefreshToken
    }
    createdAt
    updatedAt
  }
`);

export const clientDocument = graphql(`
  query HydraClient($clientId: String!) {
    found: oauth2Client(by: { clientId: $clientId }) {
      ...ClientFields
    }
  }
`);

export const clientsDocument = graphql(`
  query HydraClients($filter: OAuth2ClientFilterInput!, $first: Int!, $after: String) {
    list: oauth2Clients(filter: $filter, first: $first, after: $after) {
      totalCount
      edges {
        node {
          ...ClientFields
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const clientCursorsDocument = graphql(`
  query HydraClientCursors($filter: OAuth2ClientFilterInput!, $first: Int!, $after: String) {
    list: oauth2Clients(filter: $filter, first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const createClientDocument = graphql(`
  mutation HydraCreateClient($input: CreateOAuth2ClientInput!) {
    result: createOAuth2Client(input: $input) {
      __typename
      ... on CreateOAuth2ClientPayload {
        client {
          ...ClientFields
        }
        clientSecret
        registrationAccessToken
        registrationClientUri
      }
      ...Refusal
    }
  }
`);

export const updateClientDocument = graphql(`
  mutation HydraUpdateClient($input: UpdateOAuth2ClientInput!) {
    result: updateOAuth2Client(input: $input) {
      __typename
      ... on UpdateOAuth2ClientPayload {
        client {
          ...ClientFields
        }
        clientSecret
      }
      ...Refusal
    }
  }
`);

export const patchClientDocument = graphql(`
  mutation HydraPatchClient($input: PatchOAuth2ClientInput!) {
    result: patchOAuth2Client(input: $input) {
      __typename
      ... on PatchOAuth2ClientPayload {
        client {
          ...ClientFields
        }
        clientSecret
      }
      ...Refusal
    }
  }
`);

export const deleteClientDocument = graphql(`
  mutation HydraDeleteClient($input: DeleteOAuth2ClientInput!) {
    result: deleteOAuth2Client(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const setLifespansDocument = graphql(`
  mutation HydraSetLifespans($input: SetOAuth2ClientLifespansInput!) {
    result: setOAuth2ClientLifespans(input: $input) {
      __typename
      ... on SetOAuth2ClientLifespansPayload {
        client {
          ...ClientFields
        }
      }
      ...Refusal
    }
  }
`);

export const rotateSecretDocument = graphql(`
  mutation HydraRotateSecret($input: RotateOAuth2ClientSecretInput!) {
    result: rotateOAuth2ClientSecret(input: $input) {
      __typename
      ... on RotateOAuth2ClientSecretPayload {
        client {
          ...ClientFields
        }
        clientSecret
      }
      ...Refusal
    }
  }
`);

export const deleteRotatedSecretsDocument = graphql(`
  mutation HydraDeleteRotatedSecrets($input: DeleteRotatedOAuth2ClientSecretsInput!) {
    result: deleteRotatedOAuth2ClientSecrets(input: $input) {
      __typename
      ... on DeleteRotatedOAuth2ClientSecretsPayload {
        client {
          ...ClientFields
        }
      }
      ...Refusal
    }
  }
`);

export const keySetDocument = graphql(`
  query HydraKeySet($name: String!) {
    found: jsonWebKeySet(by: { name: $name }) {
      keys {
        publicJwk
      }
    }
  }
`);

export const keyDocument = graphql(`
  query HydraKey($set: String!, $kid: String!) {
    found: jsonWebKey(by: { key: { set: $set, kid: $kid } }) {
      publicJwk
    }
  }
`);

export const createKeyDocument = graphql(`
  mutation HydraCreateKey($input: CreateJsonWebKeySetInput!) {
    result: createJsonWebKeySet(input: $input) {
      __typename
      ... on CreateJsonWebKeySetPayload {
        privateJwk
      }
      ...Refusal
    }
  }
`);

export const updateKeySetDocument = graphql(`
  mutation HydraUpdateKeySet($input: UpdateJsonWebKeySetInput!) {
    result: updateJsonWebKeySet(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const updateKeyDocument = graphql(`
  mutation HydraUpdateKey($input: UpdateJsonWebKeyInput!) {
    result: updateJsonWebKey(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const deleteKeySetDocument = graphql(`
  mutation HydraDeleteKeySet($input: DeleteJsonWebKeySetInput!) {
    result: deleteJsonWebKeySet(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const deleteKeyDocument = graphql(`
  mutation HydraDeleteKey($input: DeleteJsonWebKeyInput!) {
    result: deleteJsonWebKey(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const versionDocument = graphql(`
  query HydraVersion {
    version {
      version
    }
  }
`);

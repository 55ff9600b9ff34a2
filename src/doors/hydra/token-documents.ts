import { graphql } from '../../generated/doors/gql.ts';

/** The operations on tokens. */

export const introspectDocument = graphql(`
  query HydraIntrospect($token: String!, $scopes: [String!]) {
    found: introspectOAuth2Token(token: $token, scopes: $scopes) {
      active
      audience
      clientId
      expiresAt
      ext
      issuedAt
      issuer
      obfuscatedSubject
      scope
      subject
      tokenType
      tokenUse
      username
    }
  }
`);

export const deleteTokensDocument = graphql(`
  mutation HydraDeleteTokens($input: DeleteOAuth2TokensInput!) {
    result: deleteOAuth2Tokens(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const flushTokensDocument = graphql(`
  mutation HydraFlushTokens($input: FlushInactiveOAuth2TokensInput!) {
    result: flushInactiveOAuth2Tokens(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

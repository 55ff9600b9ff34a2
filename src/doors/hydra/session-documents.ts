import { graphql } from '../../generated/doors/gql.ts';

/** The operations on what people have allowed, and on their sessions. */

export const consentSessionsDocument = graphql(`
  query HydraConsentSessions(
    $subject: String!
    $filter: ConsentSessionFilterInput!
    $first: Int!
    $after: String
  ) {
    list: consentSessions(subject: $subject, filter: $filter, first: $first, after: $after) {
      totalCount
      edges {
        node {
          consentRequestId
          subject
          acr
          amr
          context
          grantedScopes
          grantedAudience
          requestedScopes
          requestedAudience
          requestUrl
          loginChallenge
          loginSessionId
          remember
          rememberFor
          handledAt
          oidcContext {
            ...OidcContextFields
          }
          session {
            accessToken
            idToken
          }
          client {
            ...ClientFields
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const consentCursorsDocument = graphql(`
  query HydraConsentCursors(
    $subject: String!
    $filter: ConsentSessionFilterInput!
    $first: Int!
    $after: String
  ) {
    list: consentSessions(subject: $subject, filter: $filter, first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const revokeConsentsDocument = graphql(`
  mutation HydraRevokeConsents($input: RevokeConsentSessionsInput!) {
    result: revokeConsentSessions(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

export const revokeLoginDocument = graphql(`
  mutation HydraRevokeLogin($input: RevokeAuthenticationSessionInput!) {
    result: revokeAuthenticationSession(input: $input) {
      __typename
      ...Refusal
    }
  }
`);

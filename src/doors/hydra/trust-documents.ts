import { graphql } from '../../generated/doors/gql.ts';

/** The operations on trusted issuers of JWTs that Hydra's clients ask. */

graphql(`
  fragment JwtGrantIssuerFields on JwtGrantIssuer {
    id
    issuer
    subject
    allowAnySubject
    scopes
    publicKey {
      set
      kid
    }
    createdAt
    expiresAt
  }
`);

export const jwtGrantIssuerDocument = graphql(`
  query HydraJwtGrantIssuer($id: ID!) {
    found: jwtGrantIssuer(by: { id: $id }) {
      ...JwtGrantIssuerFields
    }
  }
`);

export const jwtGrantIssuersDocument = graphql(`
  query HydraJwtGrantIssuers($filter: JwtGrantIssuerFilterInput!, $first: Int!, $after: String) {
    list: jwtGrantIssuers(filter: $filter, first: $first, after: $after) {
      totalCount
      edges {
        node {
          ...JwtGrantIssuerFields
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const jwtGrantIssuerCursorsDocument = graphql(`
  query HydraJwtGrantIssuerCursors($filter: JwtGrantIssuerFilterInput!, $first: Int!, $after: String) {
    list: jwtGrantIssuers(filter: $filter, first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const trustJwtGrantIssuerDocument = graphql(`
  mutation HydraTrustJwtGrantIssuer($input: TrustJwtGrantIssuerInput!) {
    result: trustJwtGrantIssuer(input: $input) {
      __typename
      ... on TrustJwtGrantIssuerPayload {
        jwtGrantIssuer {
          ...JwtGrantIssuerFields
        }
      }
      ...Refusal
    }
  }
`);

export const deleteJwtGrantIssuerDocument = graphql(`
  mutation HydraDeleteJwtGrantIssuer($input: DeleteJwtGrantIssuerInput!) {
    result: deleteJwtGrantIssuer(input: $input) {
      __typename
      ... on DeleteJwtGrantIssuerPayload {
        deleted
      }
      ...Refusal
    }
  }
`);

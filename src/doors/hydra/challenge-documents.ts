import { graphql } from '../../generated/doors/gql.ts';

/** The operations that Hydra's login apps ask. */

graphql(`
  fragment OidcContextFields on OidcContext {
    acrValues
    uiLocales
    display
    loginHint
    idTokenHintClaims
  }
`);

/** What login and consent requests share. */
graphql(`
  fragment RequestFields on AuthorizationRequest {
    challenge
    requestedScopes
    requestedAudience
    skip
    subject
    requestUrl
    oidcContext {
      ...OidcContextFields
    }
    client {
      ...ClientFields
    }
  }
`);

export const loginRequestDocument = graphql(`
  query HydraLoginRequest($challenge: String!) {
    found: loginRequest(challenge: $challenge) {
      ...RequestFields
      sessionId
      identityProviderSessionId
    }
  }
`);

export const consentRequestDocument = graphql(`
  query HydraConsentRequest($challenge: String!) {
    found: consentRequest(challenge: $challenge) {
      ...RequestFields
      consentRequestId
      loginChallenge
      loginSessionId
      acr
      amr
      context
    }
  }
`);

export const acceptLoginDocument = graphql(`
  mutation HydraAcceptLogin($input: AcceptLoginRequestInput!) {
    result: acceptLoginRequest(input: $input) {
      __typename
      ... on AcceptLoginRequestPayload {
        redirectTo
      }
      ...Refusal
    }
  }
`);

export const rejectLoginDocument = graphql(`
  mutation HydraRejectLogin($input: RejectLoginRequestInput!) {
    result: rejectLoginRequest(input: $input) {
      __typename
      ... on RejectLoginRequestPayload {
        redirectTo
      }
      ...Refusal
    }
  }
`);

export const acceptConsentDocument = graphql(`
  mutation HydraAcceptConsent($input: AcceptConsentRequestInput!) {
    result: acceptConsentRequest(input: $input) {
      __typename
      ... on AcceptConsentRequestPayload {
        redirectTo
      }
      ...Refusal
    }
  }
`);

export const rejectConsentDocument = graphql(`
  mutation HydraRejectConsent($input: RejectConsentRequestInput!) {
    result: rejectConsentRequest(input: $input) {
      __typename
      ... on RejectConsentRequestPayload {
        redirectTo
      }
      ...Refusal
    }
  }
`);

export const logoutRequestDocument = graphql(`
  query HydraLogoutRequest($challenge: String!) {
    found: logoutRequest(challenge: $challenge) {
      challenge
      subject
      sessionId
      identityProviderSessionId
      requestUrl
      rpInitiated
      requestedAt
      expiresAt
      client {
        ...ClientFields
      }
    }
  }
`);

export const acceptLogoutDocument = graphql(`
  mutation HydraAcceptLogout($input: AcceptLogoutRequestInput!) {
    result: acceptLogoutRequest(input: $input) {
      __typename
      ... on AcceptLogoutRequestPayload {
        redirectTo
      }
      ...Refusal
    }
  }
`);

export const rejectLogoutDocument = graphql(`
  mutation HydraRejectLogout($input: RejectLogoutRequestInput!) {
    result: rejectLogoutRequest(input: $input) {
      __typename
      ... on RejectLogoutRequestPayload {
        rejected
      }
      ...Refusal
    }
  }
`);

export const acceptDeviceDocument = graphql(`
  mutation HydraAcceptDevice($input: AcceptDeviceRequestInput!) {
    result: acceptDeviceRequest(input: $input) {
      __typename
      ... on AcceptDeviceRequestPayload {
        redirectTo
      }
      ...Refusal
    }
  }
`);

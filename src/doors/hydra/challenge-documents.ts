import { graphql } from '../../generated/doors/gql.ts';

/** The operations that Hydra's login apps ask. */

export const loginRequestDocument = graphql(`
  query HydraLoginRequest($challenge: String!) {
    found: loginRequest(challenge: $challenge) {
      challenge
      requestedScopes
      requestedAudience
      skip
      subject
      sessionId
      requestUrl
      oidcContext {
        acrValues
        uiLocales
        display
        loginHint
      }
      client {
        ...ClientFields
      }
    }
  }
`);

export const consentRequestDocument = graphql(`
  query HydraConsentRequest($challenge: String!) {
    found: consentRequest(challenge: $challenge) {
      challenge
      requestedScopes
      requestedAudience
      skip
      subject
      loginSessionId
      requestUrl
      acr
      amr
      context
      oidcContext {
        acrValues
        uiLocales
        display
        loginHint
      }
      client {
        ...ClientFields
      }
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

import { graphql } from '../../generated/executor/gql.ts';

/** All operations that the executor sends. Their types are generated from these texts and `schema.graphql`. */

export const loginDocument = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on LoginPayload {
        token
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const leaseJobsDocument = graphql(`
  mutation LeaseJobs($input: LeaseJobsInput!) {
    leaseJobs(input: $input) {
      __typename
      ... on LeaseJobsPayload {
        runs {
          id
          jobId
          queue
          node
          namespace
          labels
          annotations
          nodeSelector
          tolerations
          container
          interface
          inputs
          inputLiterals
          environment
          activeDeadline
          terminationGrace
          inputBlobs {
            uri
            downloadUrl
            sizeBytes
          }
        }
        cancelRuns
        leaseDuration
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const returnLeaseDocument = graphql(`
  mutation ReturnLease($input: ReturnLeaseInput!) {
    returnLease(input: $input) {
      __typename
      ... on ReturnLeasePayload {
        returned
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const reportJobEventsDocument = graphql(`
  mutation ReportJobEvents($input: ReportJobEventsInput!) {
    reportJobEvents(input: $input) {
      __typename
      ... on ReportJobEventsPayload {
        outcomes
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const reportRunLogDocument = graphql(`
  mutation ReportRunLog($input: ReportRunLogInput!) {
    reportRunLog(input: $input) {
      __typename
      ... on ReportRunLogPayload {
        stored
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const reportUsageDocument = graphql(`
  mutation ReportUsage($input: ReportUsageInput!) {
    reportUsage(input: $input) {
      __typename
      ... on ReportUsagePayload {
        storedRuns
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const createBlobUploadDocument = graphql(`
  mutation CreateBlobUpload($input: CreateBlobUploadInput!) {
    createBlobUpload(input: $input) {
      __typename
      ... on CreateBlobUploadPayload {
        uri
        uploadUrl
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

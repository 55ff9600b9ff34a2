import { graphql } from '../../generated/cli/gql.ts';

/** The operations of `slipway load`. */

export const loginDocument = graphql(`
  mutation LoadLogin($input: LoginInput!) {
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

export const logoutDocument = graphql(`
  mutation LoadLogout {
    logout {
      __typename
    }
  }
`);

export const createQueueDocument = graphql(`
  mutation LoadCreateQueue($input: CreateQueueInput!) {
    createQueue(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
    }
  }
`);

/** It selects no job, so that the answer costs nothing. */
export const submitJobsDocument = graphql(`
  mutation LoadSubmitJobs($input: SubmitJobsInput!) {
    submitJobs(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
    }
  }
`);

export const leaseJobsDocument = graphql(`
  mutation LoadLeaseJobs($input: LeaseJobsInput!) {
    leaseJobs(input: $input) {
      __typename
      ... on LeaseJobsPayload {
        runs {
          id
          jobId
        }
        cancelRuns
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const reportJobEventsDocument = graphql(`
  mutation LoadReportJobEvents($input: ReportJobEventsInput!) {
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

export const cancelOnQueueDocument = graphql(`
  mutation LoadCancelOnQueue($input: CancelOnQueueInput!) {
    cancelOnQueue(input: $input) {
      __typename
      ... on CancelOnQueuePayload {
        count
        hasMore
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const deleteQueueDocument = graphql(`
  mutation LoadDeleteQueue($input: DeleteQueueInput!) {
    deleteQueue(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
    }
  }
`);

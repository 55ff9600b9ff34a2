/** The operations of the tests of both client libraries, with types from `schema.graphql`. */
import { graphql } from '../generated/gql.ts';

export const executionQuery = graphql(`
  query ExecutionByKey($key: ExecutionKeyInput!) {
    execution(by: { key: $key }) {
      id
      phase
      launchPlan { id name version }
    }
  }
`);

export const executionsQuery = graphql(`
  query ExecutionsOfProject($filter: ExecutionFilterInput!) {
    executions(filter: $filter, first: 10) {
      edges { cursor node { id name phase } }
      pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
    }
  }
`);

export const createExecutionMutation = graphql(`
  mutation CreateExecution($input: CreateExecutionInput!) {
    createExecution(input: $input) {
      __typename
      ... on CreateExecutionPayload { execution { id name phase } }
      ... on Error { code message path }
    }
  }
`);

export const terminateExecutionMutation = graphql(`
  mutation TerminateExecution($input: TerminateExecutionInput!) {
    terminateExecution(input: $input) {
      __typename
      ... on TerminateExecutionPayload { execution { id phase } }
      ... on Error { code message }
    }
  }
`);

export const executionEventsSubscription = graphql(`
  subscription ExecutionEvents($id: ID!, $after: ID) {
    executionEvents(by: { id: $id }, after: $after) {
      id
      phase
      execution { id phase }
    }
  }
`);

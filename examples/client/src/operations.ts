import { graphql } from './generated/gql.ts';

export const signIn = graphql(`
  mutation SignIn {
    login {
      __typename
      ... on LoginPayload { token }
      ... on Error { message }
    }
  }
`);

export const projects = graphql(`
  query Projects {
    viewer { username role }
    projects(first: 100) { edges { node { identifier name state } } }
  }
`);

export const launch = graphql(`
  mutation Launch($input: CreateExecutionInput!) {
    createExecution(input: $input) {
      __typename
      ... on CreateExecutionPayload { execution { id name } }
      ... on InvalidArgumentError { problems { message path } }
      ... on Error { code message }
    }
  }
`);

export const nodeEvents = graphql(`
  subscription NodeEvents($id: ID!, $after: ID) {
    nodeExecutionEvents(by: { id: $id }, after: $after) {
      __typename
      id
      nodeId
      occurredAt
      ... on NodePhaseEvent { phase }
      ... on TaskPhaseEvent { attempt taskPhase }
      ... on NodeAbortEvent { reason }
    }
  }
`);

export const outcome = graphql(`
  query Outcome($id: ID!) {
    execution(by: { id: $id }) { phase duration error { code message } data { outputs } }
  }
`);

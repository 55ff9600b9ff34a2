import { graphql } from '../generated/cli/gql.ts';

/** All operations that the command line sends. Their types are generated from these texts and `schema.graphql`. */

/** Why a version was not registered: the fields of every error that a registration answers. */
graphql(`
  fragment RegistrationError on Error {
    code
    message
    ... on InvalidArgumentError {
      problems {
        path
        code
        message
      }
    }
    ... on DifferentStructureError {
      differences {
        path
        oldValue
        newValue
      }
    }
  }
`);

export const createTaskDocument = graphql(`
  mutation RegisterTask($input: CreateTaskInput!) {
    created: createTask(input: $input) {
      __typename
      ... on CreateTaskPayload {
        outcome
      }
      ...RegistrationError
    }
  }
`);

export const createWorkflowDocument = graphql(`
  mutation RegisterWorkflow($input: CreateWorkflowInput!) {
    created: createWorkflow(input: $input) {
      __typename
      ... on CreateWorkflowPayload {
        outcome
      }
      ...RegistrationError
    }
  }
`);

export const createLaunchPlanDocument = graphql(`
  mutation RegisterLaunchPlan($input: CreateLaunchPlanInput!) {
    created: createLaunchPlan(input: $input) {
      __typename
      ... on CreateLaunchPlanPayload {
        outcome
      }
      ...RegistrationError
    }
  }
`);

export const findWorkflowDocument = graphql(`
  query FindWorkflow($key: EntityKeyInput!) {
    found: workflow(by: { key: $key }) {
      id
    }
  }
`);

export const findLaunchPlanDocument = graphql(`
  query FindLaunchPlan($key: EntityKeyInput!) {
    found: launchPlan(by: { key: $key }) {
      id
    }
  }
`);

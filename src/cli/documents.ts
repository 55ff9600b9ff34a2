import { graphql } from '../generated/cli/gql.ts';

/** All operations that the command line sends. Their types are generated from these texts and `schema.graphql`. */

export const createTaskDocument = graphql(`
  mutation RegisterTask($input: CreateTaskInput!) {
    created: createTask(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
      ... on InvalidArgumentError {
        problems {
          path
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
  }
`);

export const createWorkflowDocument = graphql(`
  mutation RegisterWorkflow($input: CreateWorkflowInput!) {
    created: createWorkflow(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
      ... on InvalidArgumentError {
        problems {
          path
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
  }
`);

export const createLaunchPlanDocument = graphql(`
  mutation RegisterLaunchPlan($input: CreateLaunchPlanInput!) {
    created: createLaunchPlan(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
      ... on InvalidArgumentError {
        problems {
          path
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
  }
`);

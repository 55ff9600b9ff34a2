/** The part of Slipway's schema that the documents of the bench use, for the peers whose schema is written by hand. */
export const typeDefs = `
  enum ExecutionPhase { QUEUED RUNNING SUCCEEDING SUCCEEDED FAILING FAILED ABORTED TIMED_OUT ABORTING }
  enum NodeExecutionPhase {
    QUEUED RUNNING SUCCEEDED FAILING FAILED ABORTED SKIPPED TIMED_OUT DYNAMIC_RUNNING RECOVERED
  }
  enum TaskExecutionPhase {
    QUEUED RUNNING SUCCEEDED ABORTED FAILED INITIALIZING WAITING_FOR_RESOURCES RETRYABLE_FAILED
  }
  enum Level { NO_PERMISSIONS READ USE EDIT MANAGE }
  enum Role { ROOT SYSTEM ADMIN SUPERUSER USER ANNOTATOR GUEST }
  enum ResourceType { TENANT PROJECT EXPERIMENT REGISTERED_MODEL WORKFLOW QUEUE }
  scalar DateTime

  type User { id: ID! username: String! name: String! role: Role! }
  type TaskExecution {
    id: ID!
    retryAttempt: Int!
    phase: TaskExecutionPhase!
    startedAt: DateTime
    endedAt: DateTime
  }
  type TaskExecutionConnection { nodes: [TaskExecution!]! }
  type NodeExecution {
    id: ID!
    nodeId: String!
    phase: NodeExecutionPhase!
    startedAt: DateTime
    endedAt: DateTime
    taskExecutions(first: Int = 25): TaskExecutionConnection!
  }
  type NodeExecutionConnection { nodes: [NodeExecution!]! }
  type Execution {
    id: ID!
    name: String!
    domain: String!
    phase: ExecutionPhase!
    createdAt: DateTime!
    startedAt: DateTime
    endedAt: DateTime
    nodeExecutions(first: Int = 25): NodeExecutionConnection!
  }
  type ExecutionConnection { nodes: [Execution!]! }
  type ExecutionPhaseCount { phase: ExecutionPhase! count: Int! }
  type Project { id: ID! identifier: String! name: String! executionCounts: [ExecutionPhaseCount!]! }
  type ProjectConnection { nodes: [Project!]! }
  type GrantResource { type: ResourceType! id: ID name: String }
  type Grant { id: ID! level: Level! resource: GrantResource! }
  type MyGrant { grant: Grant! }
  type MyGrantConnection { nodes: [MyGrant!]! }

  input ExecutionByInput { id: ID! }
  input ExecutionFilterInput { project: String! domain: String! phases: [ExecutionPhase!]! }
  input EntityKeyInput { project: String! domain: String! name: String! version: String! }
  input CreateTaskEventInput {
    execution: ExecutionByInput!
    nodeId: String!
    task: EntityKeyInput!
    phase: TaskExecutionPhase!
    occurredAt: DateTime!
  }
  type CreateTaskEventPayload { taskExecution: TaskExecution! }
  type FailedPreconditionError { message: String! }
  union CreateTaskEventResult = CreateTaskEventPayload | FailedPreconditionError

  type Query {
    viewer: User
    execution(by: ExecutionByInput!): Execution
    executions(first: Int = 25, filter: ExecutionFilterInput!): ExecutionConnection!
    projects(first: Int = 25): ProjectConnection!
    myPermissions(first: Int = 25): MyGrantConnection!
  }
  type Mutation { createTaskEvent(input: CreateTaskEventInput!): CreateTaskEventResult }
`;

/** The descriptions that the inputs and the answers of the payloads share. */

export const taskResourceSpec = {
  description: 'Amounts of resources, as Kubernetes quantities such as `500m` or `1.5Gi`.',
  cpu: 'CPUs.',
  gpu: 'GPUs, a whole number.',
  memory: 'Memory, in bytes.',
  storage: 'Storage that outlives the container, in bytes.',
  ephemeralStorage: 'Storage that ends with the container, in bytes.',
};

export const taskResource = {
  description:
    'The resources of containers. A record replaces both the default amounts and the limits of the server: a record with only limits leaves no defaults.',
  defaults: 'What a container gets if its task does not ask for an amount.',
  limits: 'The most that a container may ask for.',
};

export const clusterResource = {
  description: 'The values of the templates from which the objects of a project on a cluster are created.',
  attributes: 'The values by their names in the templates: 1 to 100, each with at most 4096 characters.',
};

export const executionQueue = {
  description: 'Chooses the queue of an execution by tags.',
  tags: 'The tags, 1 to 100. They are stored for engines from outside; our executions use the queue of their project and domain.',
};

export const executionClusterLabel = {
  description: 'Chooses the cluster of an execution by a label.',
  value: 'The label, at most 255 characters.',
};

export const qualityOfService = {
  description: 'How long an execution may wait in its queue.',
  tier: 'The tier that names the time.',
  queueingBudget: 'The time itself.',
};

export const pluginOverride = {
  description: 'The plugins that run the tasks of one type.',
  taskType: 'The type of task, such as `container`.',
  pluginIds: 'The plugins, 1 to 100, in the order in which the engine tries them.',
  missingPluginBehavior: 'What happens if the engine has none of these plugins.',
};

export const pluginOverrides = {
  description: 'Which plugins run which types of tasks.',
  overrides: 'The overrides, at most one for each type of task.',
};

export const runAs = {
  description: 'The identity with which an execution runs.',
  iamRole: 'A role of the cloud provider.',
  k8sServiceAccount: 'A service account of Kubernetes.',
  oauth2Client: 'A client of an OAuth 2 server.',
  executionIdentity: 'The user in whose name the execution runs.',
};

export const secretReference = {
  description: 'A secret that the tasks of an execution need. The value is never a part of it.',
  group: 'The group of the secret, as its store names it.',
  groupVersion: 'The version of the group.',
  key: 'The key of the secret in its group.',
  mountRequirement: 'How the task gets the secret.',
  envVar: 'The name of the environment variable with the secret, if the task gets it in this way.',
};

export const oauth2Client = {
  description: 'A client of an OAuth 2 server.',
  clientId: 'The id of the client at that server.',
  clientSecret: 'Where the secret of the client is stored.',
};

export const oauth2TokenRequest = {
  description: 'A token of an OAuth 2 server that the tasks of an execution need.',
  name: 'The name of the token, unique in the security context.',
  type: 'How the token is obtained.',
  client: 'The client that obtains it.',
  idpDiscoveryEndpoint: 'The address that describes the server.',
  tokenEndpoint:
    'The address that issues the token. If it is set, it counts before the description of the server.',
};

export const securityContext = {
  description: 'With which identity an execution runs, and which secrets and tokens it needs.',
  runAs: 'The identity.',
  secrets: 'The secrets, at most 100.',
  tokens: 'The tokens, at most 100.',
};

export const rawOutputDataConfig = {
  description: 'Where the tasks of an execution put large outputs.',
  outputLocationPrefix: 'The beginning of their addresses, such as `s3://bucket/folder`.',
};

export const executionEnvironment = {
  description: 'An environment in which tasks run, such as an actor.',
  name: 'The name of the environment.',
  type: 'The type of the environment, which the engine knows.',
  version: 'The version of the environment.',
  extant: 'The environment, if it exists, as the engine describes it.',
  spec: 'The specification of a new environment.',
};

export const executionEnvAssignment = {
  description: 'Gives an environment to some nodes of a workflow.',
  nodeIds: 'The ids of the nodes, 1 to 100.',
  taskType: 'The type of their tasks.',
  executionEnv: 'The environment.',
};

/** What `maxParallelism` means everywhere. What 0 means is not the same everywhere. */
const parallelism =
  'How many nodes of an execution may run tasks or launch plans at the same time. This is also how many tasks may run at the same time in the execution and in all executions that its nodes start, at any depth.';

export const workflowExecutionConfig = {
  description:
    'The configuration of executions. An execution takes each field from the first source that has it: its own request, its launch plan, the most specific record, the record of the project, the server.',
  parallelism,
  maxParallelism: `${parallelism} 0 counts as not set.`,
  securityContext: 'The security context. An execution takes it as a whole.',
  rawOutputDataConfig: 'Where large outputs go.',
  labels: 'Labels that follow the rules of Kubernetes, at most 16.',
  annotations: 'Annotations, at most 100.',
  interruptible: 'Whether tasks may run on machines that the provider can take away.',
  overwriteCache: 'True: executions compute everything again and replace what is cached.',
  envs: 'Environment variables, at most 100. Everybody who may read the project can see them. The variables of Slipway, whose names begin with `SLIPWAY_`, cannot be replaced.',
  executionEnvAssignments: 'The environments of nodes, at most 100.',
};

export const clusterAssignment = {
  description: 'The pool of clusters in which executions run.',
  clusterPoolName: 'The name of the pool, at most 255 characters.',
};

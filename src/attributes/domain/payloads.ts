import type { MatchableResource } from '../../generated/prisma/enums.ts';

/**
 * What a record can say, one payload for each kind, as it is stored. Fields that are not set are left out.
 * Source: Flyte's `MatchingAttributes`.
 */
export interface Payloads {
  readonly TASK_RESOURCE: TaskResourceAttributes;
  readonly CLUSTER_RESOURCE: ClusterResourceAttributes;
  readonly EXECUTION_QUEUE: ExecutionQueueAttributes;
  readonly EXECUTION_CLUSTER_LABEL: ExecutionClusterLabel;
  readonly QUALITY_OF_SERVICE_SPECIFICATION: QualityOfService;
  readonly PLUGIN_OVERRIDE: PluginOverrides;
  readonly WORKFLOW_EXECUTION_CONFIG: WorkflowExecutionConfig;
  readonly CLUSTER_ASSIGNMENT: ClusterAssignment;
}

/** One payload with its kind. */
export type MatchingAttributes = {
  [Type in MatchableResource]: { readonly resourceType: Type; readonly payload: Payloads[Type] };
}[MatchableResource];

/** The field of the API with the payload of each kind. */
export const payloadFields = {
  TASK_RESOURCE: 'taskResource',
  CLUSTER_RESOURCE: 'clusterResource',
  EXECUTION_QUEUE: 'executionQueue',
  EXECUTION_CLUSTER_LABEL: 'executionClusterLabel',
  QUALITY_OF_SERVICE_SPECIFICATION: 'qualityOfService',
  PLUGIN_OVERRIDE: 'pluginOverride',
  WORKFLOW_EXECUTION_CONFIG: 'workflowExecutionConfig',
  CLUSTER_ASSIGNMENT: 'clusterAssignment',
} as const satisfies Readonly<Record<MatchableResource, string>>;

/** The resources of a container, in the order of the API. */
export const resourceNames = ['cpu', 'gpu', 'memory', 'storage', 'ephemeralStorage'] as const;

/** Kubernetes quantities by resource. */
export type TaskResourceSpec = Readonly<Partial<Record<(typeof resourceNames)[number], string>>>;

/** A record replaces the configured defaults and the configured limits together. */
export interface TaskResourceAttributes {
  readonly defaults?: TaskResourceSpec;
  readonly limits?: TaskResourceSpec;
}

export interface ClusterResourceAttributes {
  /** The values of the templates of cluster objects, by name. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ExecutionQueueAttributes {
  readonly tags: readonly string[];
}

export interface ExecutionClusterLabel {
  readonly value: string;
}

export const qualityOfServiceTiers = ['HIGH', 'MEDIUM', 'LOW'] as const;
export type QualityOfServiceTier = (typeof qualityOfServiceTiers)[number];

/** The time that an execution may wait in a queue: named by a tier of the configuration, or given directly. */
export interface QualityOfService {
  readonly tier?: QualityOfServiceTier;
  readonly queueingBudgetMilliseconds?: number;
}

export type MissingPluginBehavior = 'FAIL' | 'USE_DEFAULT';

export interface PluginOverride {
  readonly taskType: string;
  /** In the order in which the engine tries them. */
  readonly pluginIds: readonly string[];
  readonly missingPluginBehavior: MissingPluginBehavior;
}

export interface PluginOverrides {
  /** At most one for each type of task. */
  readonly overrides: readonly PluginOverride[];
}

export interface SecretReference {
  readonly group: string;
  readonly groupVersion?: string;
  readonly key?: string;
  readonly mountRequirement: 'ANY' | 'ENV_VAR' | 'FILE';
  /** The environment variable with the value, for ENV_VAR. */
  readonly envVar?: string;
}

export interface OAuth2ClientReference {
  readonly clientId: string;
  readonly clientSecret?: SecretReference;
}

export interface RunAs {
  readonly iamRole?: string;
  readonly k8sServiceAccount?: string;
  readonly oauth2Client?: OAuth2ClientReference;
  readonly executionIdentity?: string;
}

export interface OAuth2TokenRequest {
  readonly name: string;
  readonly type: 'CLIENT_CREDENTIALS';
  readonly client?: OAuth2ClientReference;
  readonly idpDiscoveryEndpoint?: string;
  readonly tokenEndpoint?: string;
}

export interface SecurityContext {
  readonly runAs?: RunAs;
  readonly secrets?: readonly SecretReference[];
  readonly tokens?: readonly OAuth2TokenRequest[];
}

export interface ExecutionEnvironment {
  readonly name: string;
  readonly type: string;
  readonly version?: string;
  /** An environment that exists, or the specification of a new one. */
  readonly extant?: object;
  readonly spec?: object;
}

export interface ExecutionEnvAssignment {
  readonly nodeIds: readonly string[];
  readonly taskType: string;
  readonly executionEnv: ExecutionEnvironment;
}

export interface WorkflowExecutionConfig {
  /** 0 counts as not set, as in Flyte. */
  readonly maxParallelism?: number;
  readonly securityContext?: SecurityContext;
  readonly rawOutputDataConfig?: { readonly outputLocationPrefix: string };
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly interruptible?: boolean;
  readonly overwriteCache?: boolean;
  readonly envs?: Readonly<Record<string, string>>;
  readonly executionEnvAssignments?: readonly ExecutionEnvAssignment[];
}

export interface ClusterAssignment {
  readonly clusterPoolName: string;
}

import type { SecurityContext } from '../../attributes/domain/payloads.ts';
import type { JsonObject } from '../../values/json.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import type { EntityKey } from './entity-keys.ts';
import type { ExtendedResources } from './extended-resources.ts';

/** Source: Flyte v1.16, `flyteidl/core/tasks.proto`. */
export interface TaskMetadata {
  /** Whether outputs are cached. */
  readonly discoverable?: boolean;
  readonly discoveryVersion?: string;
  /** Whether only one run at a time computes a missing entry of the cache. */
  readonly cacheSerializable?: boolean;
  readonly cacheIgnoreInputVars?: readonly string[];
  readonly runtime?: {
    readonly type: 'OTHER' | 'FLYTE_SDK';
    readonly version: string;
    readonly flavor?: string;
  };
  /** The time limit of one attempt, ISO 8601; zero means no limit. */
  readonly timeout?: string;
  /** How often a node is tried again after a failure of the user's code: 0 to 10. */
  readonly retries?: number;
  /**
   * Whether the task may run on machines that the provider can take away. Undefined, true and false are three different
   * values.
   */
  readonly interruptible?: boolean;
  /** Not empty if the task is deprecated. */
  readonly deprecatedErrorMessage?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly podTemplateName?: string;
  readonly generatesDeck?: boolean;
  readonly isEager?: boolean;
}

export const resourceNames = ['CPU', 'GPU', 'MEMORY', 'STORAGE', 'EPHEMERAL_STORAGE'] as const;

export interface ResourceEntry {
  readonly name: (typeof resourceNames)[number];
  /** A Kubernetes quantity: `500m`, `2`, `1Gi`. */
  readonly value: string;
}

export interface Resources {
  readonly requests: readonly ResourceEntry[];
  readonly limits: readonly ResourceEntry[];
}

/** How a container that does not know our system gets its inputs and leaves its outputs. */
export interface DataConfig {
  readonly enabled?: boolean;
  readonly inputPath?: string;
  readonly outputPath?: string;
  readonly format?: 'JSON' | 'YAML' | 'PROTO';
  readonly ioStrategy?: {
    readonly downloadMode?: 'DOWNLOAD_EAGER' | 'DOWNLOAD_STREAM' | 'DO_NOT_DOWNLOAD';
    readonly uploadMode?: 'UPLOAD_ON_EXIT' | 'UPLOAD_EAGER' | 'DO_NOT_UPLOAD';
  };
}

export interface ContainerPort {
  readonly containerPort: number;
  readonly name?: string;
}

export interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly key: string; readonly value: string }[];
  readonly resources: Resources;
  readonly ports?: readonly ContainerPort[];
  readonly dataConfig?: DataConfig;
  readonly architecture?: 'UNKNOWN' | 'AMD64' | 'ARM64' | 'ARM_V6' | 'ARM_V7';
}

export interface KubernetesObjectMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubernetesPod {
  readonly metadata?: KubernetesObjectMetadata;
  /** A Kubernetes PodSpec. */
  readonly podSpec: JsonObject;
  readonly dataConfig?: DataConfig;
  readonly primaryContainerName?: string;
}

export interface SqlStatement {
  readonly statement: string;
  readonly dialect: 'UNDEFINED' | 'ANSI' | 'HIVE' | 'OTHER';
}

export interface TaskTemplate {
  /** The plugin that runs it: `container`, `python-task`, `spark`. */
  readonly type: string;
  readonly metadata: TaskMetadata;
  readonly interface: TypedInterface;
  /** At most one of container, k8sPod and sql. A plugin may need none of them. */
  readonly container?: Container;
  readonly k8sPod?: KubernetesPod;
  readonly sql?: SqlStatement;
  readonly custom?: JsonObject;
  readonly taskTypeVersion?: number;
  readonly securityContext?: SecurityContext;
  readonly extendedResources?: ExtendedResources;
  readonly config?: Readonly<Record<string, string>>;
}

export interface CompiledTask {
  readonly id: EntityKey;
  readonly template: TaskTemplate;
}

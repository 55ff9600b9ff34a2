import type { JsonObject } from '../../values/json.ts';
import type { TypedInterface } from '../../values/literal-types.ts';
import type { EntityKey } from './entity-keys.ts';

/** Source: Flyte v1.16, `flyteidl/core/tasks.proto`. */
export interface TaskMetadata {
  /** Whether outputs are cached. */
  readonly discoverable?: boolean;
  readonly discoveryVersion?: string;
  /** Whether one run at a time computes a missing cache entry. */
  readonly cacheSerializable?: boolean;
  readonly cacheIgnoreInputVars?: readonly string[];
  readonly runtime?: {
    readonly type: 'OTHER' | 'FLYTE_SDK';
    readonly version: string;
    readonly flavor?: string;
  };
  /** Of one attempt, ISO 8601; zero is no limit. */
  readonly timeout?: string;
  /** Attempts beyond the first, after the user's code failed: 0 to 10. */
  readonly retries?: number;
  /** Unset, true and false differ: whether the task may run on machines that are taken back. */
  readonly interruptible?: boolean;
  /** Not empty on a deprecated task. */
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

/** How a container that knows nothing of us gets its inputs and leaves its outputs. */
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

export interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly key: string; readonly value: string }[];
  readonly resources: Resources;
  readonly dataConfig?: DataConfig;
  readonly architecture?: 'UNKNOWN' | 'AMD64' | 'ARM64' | 'ARM_V6' | 'ARM_V7';
}

export interface KubernetesPod {
  readonly metadata?: JsonObject;
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
  /** Names the plugin that runs it: `container`, `python-task`, `spark`. */
  readonly type: string;
  readonly metadata: TaskMetadata;
  readonly interface: TypedInterface;
  /** At most one of container, k8sPod and sql; none for a plugin that brings its own. */
  readonly container?: Container;
  readonly k8sPod?: KubernetesPod;
  readonly sql?: SqlStatement;
  readonly custom?: JsonObject;
  readonly taskTypeVersion?: number;
  readonly securityContext?: JsonObject;
  readonly extendedResources?: JsonObject;
  readonly config?: Readonly<Record<string, string>>;
}

export interface CompiledTask {
  readonly id: EntityKey;
  readonly template: TaskTemplate;
}

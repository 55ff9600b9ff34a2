/** A job as a caller sends it. What is null or left out has a default. */
export interface GivenJob {
  readonly clientId?: string | null;
  readonly priority?: number | null;
  readonly priorityClass?: string | null;
  readonly pool?: string | null;
  readonly namespace?: string | null;
  readonly labels?: readonly Entry[] | null;
  readonly annotations?: readonly Entry[] | null;
  readonly container: {
    readonly image: string;
    readonly command?: readonly string[] | null;
    readonly args?: readonly string[] | null;
    readonly env?: readonly Entry[] | null;
    readonly resources?: GivenResources | null;
  };
  readonly interface?: unknown;
  readonly inputs?: unknown;
  readonly nodeSelector?: readonly Entry[] | null;
  readonly tolerations?: readonly GivenToleration[] | null;
  readonly gang?: GivenGang | null;
  readonly failFast?: boolean | null;
  readonly onPreemption?: 'FAIL' | 'REQUEUE' | null;
  /** In milliseconds. */
  readonly activeDeadline?: number | null;
  /** In milliseconds. */
  readonly terminationGrace?: number | null;
  readonly externalUri?: string | null;
  readonly maxAttempts?: number | null;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
}

export interface GivenResources {
  readonly requests?: readonly ResourceAmount[] | null;
  readonly limits?: readonly ResourceAmount[] | null;
}

export interface ResourceAmount {
  readonly name: string;
  /** A Kubernetes quantity. */
  readonly value: string;
}

export interface GivenToleration {
  readonly key?: string | null;
  readonly operator?: 'Exists' | 'Equal' | null;
  readonly value?: string | null;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' | null;
}

export interface GivenGang {
  readonly id: string;
  readonly cardinality: number;
  readonly nodeUniformityLabel?: string | null;
}

/** What an executor must run. It is stored with the job and sent with each lease. */
export interface JobSpec {
  readonly container: {
    readonly image: string;
    readonly command: readonly string[];
    readonly args: readonly string[];
    readonly env: readonly { readonly key: string; readonly value: string }[];
    readonly resources: {
      readonly requests: readonly {
        readonly name: string;
        readonly value: string;
      }[];
      readonly limits: readonly {
        readonly name: string;
        readonly value: string;
      }[];
    };
  };
  /** The typed interface in Flyte's JSON form. Both maps may be empty. */
  readonly interface: {
    readonly inputs: Readonly<Record<string, { readonly type: object }>>;
    readonly outputs: Readonly<Record<string, { readonly type: object }>>;
  };
  /** Plain values by name. The value of a file is the URI of its blob. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /**
   * The inputs that plain values do not say completely, as literals. Jobs of earlier releases have none.
   */
  readonly inputLiterals?: Readonly<Record<string, unknown>>;
  /** Added to the environment of the container. It says which execution, node and attempt this is. */
  readonly environment: Readonly<Record<string, string>>;
  readonly terminationGraceSeconds: number;
  /** Whether it may run on a machine that the provider can take away. Jobs that were stored earlier do not say it. */
  readonly interruptible?: boolean;
}

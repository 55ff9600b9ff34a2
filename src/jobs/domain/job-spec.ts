/** What an executor is given to run: stored with the job, handed over with each lease. */
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
  /** Typed interface in Flyte's JSON form; both maps may be empty. */
  readonly interface: {
    readonly inputs: Readonly<Record<string, { readonly type: object }>>;
    readonly outputs: Readonly<Record<string, { readonly type: object }>>;
  };
  /** Plain values by name; a file is the uri of its blob. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Added to the container's environment: what the work is part of. */
  readonly environment: Readonly<Record<string, string>>;
  readonly terminationGraceSeconds: number;
}

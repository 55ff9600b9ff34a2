/** The files of a run, wherever its command runs. */
export interface RunFiles {
  /** The run's own directory, which contains all the others. Outputs must not be outside of it. */
  readonly path: string;
  readonly inputs: string;
  /** A file with all inputs. */
  readonly inputsFile: string;
  /** The folder for input files that are part of a list, map or union. */
  readonly blobs: string;
  readonly outputs: string;
}

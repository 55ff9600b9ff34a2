/** Where the files of a run are, wherever its command runs. */
export interface RunFiles {
  /** The run's own directory, which holds all the others. No output may lie outside of it. */
  readonly path: string;
  readonly inputs: string;
  /** All inputs in one file. */
  readonly inputsFile: string;
  /** Input files that are part of a list, map or union. */
  readonly blobs: string;
  readonly outputs: string;
}

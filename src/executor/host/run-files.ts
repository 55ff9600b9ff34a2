/** All inputs of a run as plain values. */
export const INPUTS_FILE = 'inputs.json';
/** All outputs of a run as plain values. */
export const OUTPUTS_FILE = 'outputs.json';
/** In the folder of the inputs and in that of the outputs: values as Flyte's literals, which name the variant of a union. */
export const LITERALS_FILE = 'literals.json';

/** The files of a run, wherever its command runs. */
export interface RunFiles {
  /** The run's own directory, which contains all the others. Outputs must not be outside of it. */
  readonly path: string;
  readonly inputs: string;
  /** A file with all inputs. */
  readonly inputsFile: string;
  /** A file with all inputs as literals. */
  readonly literalsFile: string;
  /** The folder for input files that are part of a list, map or union. */
  readonly blobs: string;
  readonly outputs: string;
}

/**
 * What a command prints on one stream. The file has the beginning, and the file of the end has the last 16 KiB of what
 * comes after it. Both grow while the command runs, except that the end is complete only when the command has ended.
 */
export interface LogFiles {
  readonly beginning: string;
  readonly end: string;
}

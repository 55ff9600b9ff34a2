import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * The inputs and outputs of a step. Its command line names all of them, as the task's placeholders fill them in:
 * `--seed=7 --penguins=<file> --train=<file to write>`. So a step does not know what runs it.
 */
export interface StepIo {
  text(name: string): string;
  number(name: string): number;
  flag(name: string): boolean;
  /** The content of the file in an argument. */
  json<T>(name: string): T;
  /** Writes an output: a text as it is, any other value as JSON. */
  write(name: string, value: unknown): void;
  /** Prints a line to the log of the attempt. */
  say(line: string): void;
}

/** The main function of a step: it reads its inputs, calls its pure function, and writes its outputs. */
export type Step = (io: StepIo) => void;

/** An error that the user of the workflow can correct. Only its message is shown; other errors show their stack. */
export class StepError extends Error {
  override name = 'StepError';
}

export function stepIo(args: readonly string[]): StepIo {
  const { values } = parseArgs({ args: [...args], strict: false });
  const text = (name: string): string => {
    const value = values[name];
    if (typeof value !== 'string') throw new StepError(`--${name}=… is missing`);
    return value;
  };
  return {
    text,
    number(name) {
      const value = text(name).trim() === '' ? Number.NaN : Number(text(name));
      if (!Number.isFinite(value)) throw new StepError(`--${name} must be a number, not ${text(name)}`);
      return value;
    },
    flag: (name) => text(name) === 'true',
    json: (name) => JSON.parse(readFileSync(text(name), 'utf8')),
    write: (name, value) =>
      writeFileSync(text(name), typeof value === 'string' ? value : JSON.stringify(value)),
    say: (line) => process.stdout.write(`${line}\n`),
  };
}

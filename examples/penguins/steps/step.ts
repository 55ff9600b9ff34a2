import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * What a step gets, and how it answers. Its command line names every input and output, as the task's template fills
 * them in: `--seed=7 --penguins=<file> --train=<file to write>`. So a step knows nothing of who runs it.
 */
export interface StepIo {
  text(name: string): string;
  number(name: string): number;
  flag(name: string): boolean;
  /** The content of the file that an argument names. */
  json<T>(name: string): T;
  /** Writes an output: a text as it is, anything else as JSON. */
  write(name: string, value: unknown): void;
  /** Prints a line to the log of the attempt. */
  say(line: string): void;
}

/** The thin main of a step: reads its inputs, calls its pure function, writes its outputs. */
export type Step = (io: StepIo) => void;

/** What the user of the workflow can put right. Its message is all that is shown; other errors show their stack. */
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
      if (!Number.isFinite(value)) throw new StepError(`--${name} should be a number, is ${text(name)}`);
      return value;
    },
    flag: (name) => text(name) === 'true',
    json: (name) => JSON.parse(readFileSync(text(name), 'utf8')),
    write: (name, value) =>
      writeFileSync(text(name), typeof value === 'string' ? value : JSON.stringify(value)),
    say: (line) => process.stdout.write(`${line}\n`),
  };
}

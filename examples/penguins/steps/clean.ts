import { allIslands, allSpecies, type Penguin } from './penguin.ts';
import { type Step, StepError } from './step.ts';

/** A line of the data set. Any value may be missing or wrong. */
export type Line = Readonly<Record<string, unknown>>;

/**
 * The complete lines, in the order of the data set. This fills in nothing and scales nothing: a value that is learned
 * from many rows, such as a mean, must come only from the training part, and the parts are chosen later.
 *
 * @throws StepError that names the line with a value that is neither missing nor valid.
 */
export function clean(lines: readonly Line[]): Penguin[] {
  return lines.flatMap((line, row) => (isComplete(line) ? [penguinOf(line, row)] : []));
}

const columns = [
  'Species',
  'Island',
  'Sex',
  'Beak Length (mm)',
  'Beak Depth (mm)',
  'Flipper Length (mm)',
  'Body Mass (g)',
];

/** The data set has null for values that were not measured, and a dot in one line. */
function isComplete(line: Line): boolean {
  return columns.every((column) => line[column] != null && line[column] !== '.');
}

function penguinOf(line: Line, row: number): Penguin {
  const oneOf = <T extends string>(column: string, values: readonly T[]): T => {
    const value = values.find((known) => known === line[column]);
    return value ?? wrong(row, column, `one of ${values.join(', ')}`, line[column]);
  };
  const positive = (column: string): number => {
    const value = line[column];
    return typeof value === 'number' && value > 0 ? value : wrong(row, column, 'a positive number', value);
  };
  return {
    row,
    species: oneOf('Species', allSpecies),
    island: oneOf('Island', allIslands),
    sex: oneOf('Sex', ['FEMALE', 'MALE'] as const),
    billLengthMm: positive('Beak Length (mm)'),
    billDepthMm: positive('Beak Depth (mm)'),
    flipperLengthMm: positive('Flipper Length (mm)'),
    bodyMassG: positive('Body Mass (g)'),
  };
}

function wrong(row: number, column: string, expected: string, value: unknown): never {
  throw new StepError(`line ${row}: ${column} must be ${expected}, not ${JSON.stringify(value)}`);
}

export const cleanStep: Step = ({ json, write, say }) => {
  const lines = json<Line[]>('data');
  const penguins = clean(lines);
  say(`${penguins.length} of ${lines.length} lines are complete`);
  write('penguins', penguins);
};

import { allIslands, allSpecies, type Penguin } from './penguin.ts';
import { type Step, StepError } from './step.ts';

/** A line of the data set, of which anything may be missing or wrong. */
export type Line = Readonly<Record<string, unknown>>;

/**
 * The complete lines, in the order of the data set. Nothing is filled in and nothing is scaled here: what is learned
 * from many rows, such as a mean, may only be learned from the training part, and the parts are not drawn yet.
 *
 * @throws StepError that names the line of what is neither missing nor right.
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

/** The data set writes null for what was not measured, and in one line a dot. */
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
  throw new StepError(`line ${row}: ${column} should be ${expected}, is ${JSON.stringify(value)}`);
}

export const cleanStep: Step = ({ json, write, say }) => {
  const lines = json<Line[]>('data');
  const penguins = clean(lines);
  say(`${penguins.length} of ${lines.length} lines are complete`);
  write('penguins', penguins);
};

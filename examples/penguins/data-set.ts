import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Line } from './steps/clean.ts';

/** The package exports only its code, so we find the data relative to the code. */
const packageEntry = createRequire(import.meta.url).resolve('vega-datasets');

/** 344 penguins of three species, measured at Palmer Station, Antarctica, 2007 to 2009; eleven lines have gaps. */
export function readDataSet(): Line[] {
  return JSON.parse(readFileSync(new URL('../data/penguins.json', `file://${packageEntry}`), 'utf8'));
}

/**
 * An error as it happens when people copy and paste: every Chinstrap penguin has the flipper length of the first one.
 */
export function withCopiedFlippers(lines: readonly Line[]): Line[] {
  const flipper = 'Flipper Length (mm)';
  const first = lines.find((line) => line['Species'] === 'Chinstrap');
  return lines.map((line) =>
    line['Species'] === 'Chinstrap' ? { ...line, [flipper]: first?.[flipper] } : line,
  );
}

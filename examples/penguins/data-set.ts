import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Line } from './steps/clean.ts';

/** The package names only its code for import, so its data is found from there. */
const packageEntry = createRequire(import.meta.url).resolve('vega-datasets');

/** 344 penguins of three species, measured at Palmer Station, Antarctica, 2007 to 2009; eleven lines have gaps. */
export function readDataSet(): Line[] {
  return JSON.parse(readFileSync(new URL('../data/penguins.json', `file://${packageEntry}`), 'utf8'));
}

/** A fault as copying and pasting makes them: every Chinstrap penguin has the flipper of the first. */
export function withCopiedFlippers(lines: readonly Line[]): Line[] {
  const flipper = 'Flipper Length (mm)';
  const first = lines.find((line) => line['Species'] === 'Chinstrap');
  return lines.map((line) =>
    line['Species'] === 'Chinstrap' ? { ...line, [flipper]: first?.[flipper] } : line,
  );
}

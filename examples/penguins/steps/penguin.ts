/** One penguin with all values. `row` is its line in the data set, from 0, and identifies it. */
export interface Penguin {
  readonly row: number;
  readonly species: Species;
  readonly island: Island;
  readonly sex: 'FEMALE' | 'MALE';
  readonly billLengthMm: number;
  readonly billDepthMm: number;
  readonly flipperLengthMm: number;
  readonly bodyMassG: number;
}

export const allSpecies = ['Adelie', 'Chinstrap', 'Gentoo'] as const;
export type Species = (typeof allSpecies)[number];

export const allIslands = ['Biscoe', 'Dream', 'Torgersen'] as const;
export type Island = (typeof allIslands)[number];

/** The value to predict, as a number: the index of the species in `allSpecies`. */
export const labelOf = (penguin: Penguin): number => allSpecies.indexOf(penguin.species);

export function shareOf(count: number, all: number): number {
  return all === 0 ? 0 : Math.round((count / all) * 10_000) / 10_000;
}

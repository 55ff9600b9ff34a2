import { allIslands, type Penguin } from './penguin.ts';

/** The measurements that a model may use, as numbers. */
export const measurements = ['billLengthMm', 'billDepthMm', 'flipperLengthMm', 'bodyMassG'] as const;
export const traits = ['isFemale', ...allIslands.map((island) => `isFrom${island}` as const)] as const;
export const allFeatures = [...measurements, ...traits] as const;
export type Feature = (typeof allFeatures)[number];

export function featureOf(penguin: Penguin, feature: Feature): number {
  if (feature === 'isFemale') return Number(penguin.sex === 'FEMALE');
  if (feature === 'isFromBiscoe') return Number(penguin.island === 'Biscoe');
  if (feature === 'isFromDream') return Number(penguin.island === 'Dream');
  if (feature === 'isFromTorgersen') return Number(penguin.island === 'Torgersen');
  return penguin[feature];
}

/** Changes a feature so that its mean is 0 and its deviation is 1. */
export interface Scale {
  readonly feature: Feature;
  readonly mean: number;
  /** 1 if the feature is always the same. */
  readonly deviation: number;
}

/** From training rows only: a mean over all rows would reveal something about the held-out ones. */
export function fitScales(penguins: readonly Penguin[], features: readonly Feature[]): Scale[] {
  return features.map((feature) => {
    const values = penguins.map((penguin) => featureOf(penguin, feature));
    const mean = meanOf(values);
    const variance = meanOf(values.map((value) => (value - mean) ** 2));
    return { feature, mean, deviation: Math.sqrt(variance) || 1 };
  });
}

/** One row of numbers for each penguin, with one number for each scale. */
export function scaledRows(penguins: readonly Penguin[], scales: readonly Scale[]): number[][] {
  return penguins.map((penguin) =>
    scales.map(({ feature, mean, deviation }) => (featureOf(penguin, feature) - mean) / deviation),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

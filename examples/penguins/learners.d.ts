/** The parts that we use of two libraries without types. */
declare module 'ml-cart' {
  export class DecisionTreeClassifier {
    constructor(options: { maxDepth?: number; minNumSamples?: number; gainThreshold?: number });
    static load(learned: unknown): DecisionTreeClassifier;
    train(rows: number[][], labels: number[]): void;
    predict(rows: number[][]): number[];
  }
}

declare module 'ml-naivebayes' {
  export class GaussianNB {
    static load(learned: unknown): GaussianNB;
    train(rows: number[][], labels: number[]): void;
    predict(rows: number[][]): number[];
  }
}

import { parseQuantity } from '../../../values/quantities.ts';

/**
 * Amounts of resources by name, as integers: thousandths of CPUs, and whole units of everything else. A resource that
 * is not named has the amount 0.
 */
export type Resources = Readonly<Record<string, number>>;

/** The names that Flyte has for resources, and the names that nodes report. */
const nodeNames: Readonly<Record<string, string>> = {
  CPU: 'cpu',
  GPU: 'nvidia.com/gpu',
  MEMORY: 'memory',
  EPHEMERAL_STORAGE: 'ephemeral-storage',
};

/** The name under which nodes report a resource. */
export const nodeNameOf = (name: string): string => nodeNames[name] ?? name;

/**
 * The integer for an amount that is written as a Kubernetes quantity, rounded up; null if it is none, if it is
 * negative, or if it is larger than 2^53.
 */
export function amountOf(name: string, text: string): number | null {
  const quantity = parseQuantity(text);
  if (!quantity || quantity.numerator < 0n) return null;
  const numerator = quantity.numerator * (nodeNameOf(name) === 'cpu' ? 1000n : 1n);
  const amount = (numerator + quantity.denominator - 1n) / quantity.denominator;
  return amount > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(amount);
}

/** Amounts that are changed while a round is planned. */
export type Amounts = Record<string, number>;

export function add(amounts: Amounts, more: Resources, times = 1): void {
  for (const [name, amount] of Object.entries(more)) amounts[name] = (amounts[name] ?? 0) + amount * times;
}

/** Whether there is enough of everything. What is requested and not there at all is not enough. */
export function fits(requested: Resources, free: Resources): boolean {
  for (const name in requested) {
    const amount = requested[name] as number;
    if (amount > 0 && amount > (free[name] ?? 0)) return false;
  }
  return true;
}

const binaryUnits: readonly (readonly [string, number])[] = [
  ['Ti', 2 ** 40],
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
];
const bytes: ReadonlySet<string> = new Set(['memory', 'ephemeral-storage']);

/** An amount for people: `1.5` CPUs, `2Gi` of memory. It may be rounded to hundredths, but small amounts never to 0. */
export function amountText(name: string, amount: number): string {
  if (name === 'cpu') return String(amount / 1000);
  const [unit, size] = (bytes.has(name) && binaryUnits.find(([, least]) => amount >= least)) || ['', 1];
  return `${Math.round((amount / size) * 100) / 100}${unit}`;
}

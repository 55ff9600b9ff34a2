/**
 * Amounts of resources, read exactly: `500m`, `2`, `1.5Gi`, `1e3`.
 * Source: Kubernetes, `apimachinery/pkg/api/resource/quantity.go`.
 */
export interface Quantity {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/** Longer texts are refused. The largest amount in Kubernetes needs far fewer characters. */
const MAX_TEXT_LENGTH = 64;
const MAX_EXPONENT = 30;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryPrefixes = 'KMGTPE';

/** Null if the text is not a quantity. */
export function parseQuantity(text: string): Quantity | null {
  const match = text.length <= MAX_TEXT_LENGTH ? QUANTITY.exec(text) : null;
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', suffix = '', exponentText = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const exponent = decimalExponents[suffix] ?? Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) return null;

  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return {
    numerator: digits * 10n ** BigInt(Math.max(exponent, 0)) * binaryFactor(suffix),
    denominator: 10n ** BigInt(fraction.length + Math.max(-exponent, 0)),
  };
}

export function isGreater(one: Quantity, other: Quantity): boolean {
  return one.numerator * other.denominator > other.numerator * one.denominator;
}

export function isEqual(one: Quantity, other: Quantity): boolean {
  return one.numerator * other.denominator === other.numerator * one.denominator;
}

export function isWhole(quantity: Quantity): boolean {
  return quantity.numerator % quantity.denominator === 0n;
}

export function isNegative(quantity: Quantity): boolean {
  return quantity.numerator < 0n;
}

function binaryFactor(suffix: string): bigint {
  return suffix.endsWith('i') ? 1024n ** BigInt(binaryPrefixes.indexOf(suffix.charAt(0)) + 1) : 1n;
}

/** When a UUIDv7 was made; null for another id. */
export function timeOfId(id: string): Date | null {
  const digits = id.replaceAll('-', '');
  return digits[12] === '7' ? new Date(Number.parseInt(digits.slice(0, 12), 16)) : null;
}

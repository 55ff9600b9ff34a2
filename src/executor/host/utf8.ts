/** Cuts texts at a number of bytes without breaking a character. */

/** The longest beginning of `text` with at most `limitBytes`. */
export function firstBytes(text: string, limitBytes: number): string {
  const bytes = Buffer.from(text);
  let end = Math.min(limitBytes, bytes.length);
  while (isContinuation(bytes[end])) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** The longest end of `text` with at most `limitBytes`. */
export function lastBytes(text: string, limitBytes: number): string {
  const bytes = Buffer.from(text);
  let start = Math.max(0, bytes.length - limitBytes);
  while (isContinuation(bytes[start])) start += 1;
  return bytes.toString('utf8', start);
}

/** PostgreSQL cannot store U+0000 in texts, so a replacement character takes its place. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

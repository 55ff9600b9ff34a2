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

/** Bytes as text. Invalid bytes become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return withoutNul(decoder.decode(bytes));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The text at the beginning of `bytes`, at most `limitBytes` of UTF-8, and how many of the bytes it consists of. A
 * character at the end whose last bytes are missing counts only if no more bytes will follow.
 */
export function firstText(
  bytes: Uint8Array,
  limitBytes: number,
  isLast: boolean,
): { text: string; length: number } {
  let length = Math.min(limitBytes, isLast ? bytes.length : bytes.length - missingAtEnd(bytes));
  for (let isWhole = true; ; isWhole = false) {
    // A valid character fits into the smallest limit, so what is too long at the beginning is none.
    length = startOfCharacter(bytes, length) || (isWhole ? 0 : length);
    const text = textOf(bytes.subarray(0, length));
    const size = Buffer.byteLength(text);
    if (size <= limitBytes) return { text, length };
    // Replacement characters are longer than what they replace.
    length = Math.min(length - 1, Math.floor((length * limitBytes) / size));
  }
}

/** The position itself, or the start of the character that it is inside of. */
function startOfCharacter(bytes: Uint8Array, position: number): number {
  if (!isContinuation(bytes[position])) return position;
  return position - missingAtEnd(bytes.subarray(0, position));
}

/** How many bytes at the end begin a character that is not complete. */
function missingAtEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

/** PostgreSQL cannot store U+0000 in texts, so a replacement character takes its place. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

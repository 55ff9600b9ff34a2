/**
 * The id of an event: a part of the id of its stream, which tells the events of two streams apart, and its number in the
 * stream. Clients treat it as opaque.
 */
export const eventIdOf = (streamId: string, sequence: bigint): string =>
  Buffer.from(`${partOf(streamId)}.${sequence}`).toString('base64url');

/**
 * The number of an event of this stream by its id; `OTHER_STREAM` if the id is that of an event of another stream; null
 * if it is no id of an event.
 */
export function sequenceIn(id: string, streamId: string): bigint | 'OTHER_STREAM' | null {
  const match = /^([0-9a-f]{12})\.(\d{1,18})$/.exec(Buffer.from(id, 'base64url').toString('utf8'));
  if (!match) return null;
  return match[1] === partOf(streamId) ? BigInt(match[2] ?? '') : 'OTHER_STREAM';
}

/** The random part of the id. */
const partOf = (streamId: string) => streamId.slice(-12);

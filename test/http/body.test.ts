/** The body of a request: how much of it is read, and how much of it is told. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bodyOf, readJson } from '../../src/http/body.ts';

/** A request whose body comes in pieces of these lengths. It counts the pieces that were read. */
function requestOf(lengths: readonly number[], headers: Record<string, string> = {}) {
  let read = 0;
  const pieces = function* () {
    for (const length of lengths) {
      read += 1;
      yield Buffer.alloc(length, 'x');
    }
  };
  const body = Readable.from(pieces(), { objectMode: true, highWaterMark: 0, autoDestroy: false });
  return { request: Object.assign(body, { headers }) as unknown as IncomingMessage, reads: () => read };
}

/** The bytes that the body gives, and how it ends. */
async function readAll(request: IncomingMessage, limit: number): Promise<[bytes: number, end: unknown]> {
  let bytes = 0;
  try {
    for await (const piece of bodyOf(request, limit)) bytes += piece.length;
    return [bytes, 'complete'];
  } catch (error) {
    return [bytes, (error as Error).message];
  }
}

const tooLong = 'the body must have at most 10 bytes';

describe('a body with a limit of 10 bytes', () => {
  it.each<[lengths: number[], announced: string | undefined, given: number, end: string, reads: number]>([
    [[10], '10', 10, 'complete', 1],
    [[5, 5], undefined, 10, 'complete', 2],
    // What is announced as too long is not read at all.
    [[11], '11', 0, tooLong, 0],
    // Otherwise as much again is read and ignored, up to the piece that goes beyond it.
    [[10, 1], undefined, 10, tooLong, 2],
    [[10, 10, 1, 1], undefined, 10, tooLong, 3],
    [[10, 11, 1], undefined, 10, tooLong, 2],
  ])('in pieces of %j, announced as %s, gives %i bytes: %s', async (lengths, announced, given, end, most) => {
    const { request, reads } = requestOf(lengths, announced ? { 'content-length': announced } : {});
    expect(await readAll(request, 10)).toEqual([given, end]);
    expect(reads()).toBe(most);
    // The connection is open for the answer.
    expect(request.destroyed).toBe(false);
  });
});

describe('the JSON of a body', () => {
  it('is refused with at most 40 digits of a number that would lose some', async () => {
    const refusalOf = async (digits: string) => {
      const body = Readable.from([Buffer.from(`[${digits}]`)]);
      const headers = { 'content-type': 'application/json' };
      const request = Object.assign(body, { headers }) as unknown as IncomingMessage;
      return await readJson(request, 1000).catch((error: Error) => error.message);
    };
    for (const digits of ['9'.repeat(39), '9'.repeat(40)])
      expect(await refusalOf(digits)).toBe(`the number ${digits} would lose digits; send it as text`);
    expect(await refusalOf('9'.repeat(41))).toBe(
      `the number ${'9'.repeat(40)} would lose digits; send it as text`,
    );
  });
});

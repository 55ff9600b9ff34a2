import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../src/http/body.ts';

const LIMIT = 10;

/** A request whose body has that many bytes, one in each piece, and which counts the pieces that are read. */
function requestOf(bytes: number, headers: Record<string, string> = {}) {
  const read = { pieces: 0 };
  async function* pieces() {
    for (; read.pieces < bytes; ) {
      read.pieces += 1;
      yield Buffer.from('x');
    }
  }
  return { read, request: { headers, iterator: pieces } as unknown as IncomingMessage };
}

async function sizeOf(request: IncomingMessage): Promise<number> {
  let size = 0;
  for await (const piece of bodyOf(request, LIMIT)) size += piece.length;
  return size;
}

describe('bodyOf', () => {
  it('reads a body of the limit whole', async () => {
    expect(await sizeOf(requestOf(LIMIT).request)).toBe(LIMIT);
  });

  it('refuses a longer body that does not announce its length, and reads as much again, but no more', async () => {
    const { request, read } = requestOf(1000);
    await expect(sizeOf(request)).rejects.toThrow(`the body must have at most ${LIMIT} bytes`);
    expect(read.pieces).toBe(2 * LIMIT + 1);
  });

  it('reads a longer body to its end if the end comes before that', async () => {
    const { request, read } = requestOf(2 * LIMIT);
    await expect(sizeOf(request)).rejects.toThrow('the body must have');
    expect(read.pieces).toBe(2 * LIMIT);
  });

  it('reads nothing of a body that announces too much', async () => {
    const { request, read } = requestOf(1000, { 'content-length': String(LIMIT + 1) });
    await expect(sizeOf(request)).rejects.toThrow('the body must have');
    expect(read.pieces).toBe(0);
  });
});

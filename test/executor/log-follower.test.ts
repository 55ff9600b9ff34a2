import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { LogFollower } from '../../src/executor/host/log-follower.ts';
import type { LogChunk } from '../../src/executor/host/runtime.ts';
import { firstText } from '../../src/executor/host/utf8.ts';
import { stopClocks } from '../support/clock.ts';
import { createRoot, finish, node, shell, textOf, waitUntil } from './fixture.ts';

const KIB = 1024;

/** The files of a command that prints what the test says, and a follower of them. */
async function follow(limitBytes = 1024 * KIB, folder?: string) {
  const place = folder ?? (await createRoot());
  const chunks: LogChunk[] = [];
  const files = {
    STDOUT: { beginning: join(place, 'stdout'), end: join(place, 'stdout.end') },
    STDERR: { beginning: join(place, 'stderr'), end: join(place, 'stderr.end') },
  };
  const journal = join(place, 'journal');
  const follower = new LogFollower({ files, journal, limitBytes, onLog: (chunk) => chunks.push(chunk) });
  await follower.begin();
  const print = (stream: LogChunk['stream'], bytes: string | Buffer) =>
    appendFileSync(files[stream].beginning, bytes);
  const printEnd = (stream: LogChunk['stream'], bytes: string) => writeFileSync(files[stream].end, bytes);
  const untilChunks = (count: number) => waitUntil(() => chunks.length >= count, `${count} chunks came`);
  return { chunks, follower, print, printEnd, untilChunks, place, journal };
}

describe('LogFollower', () => {
  it('joins characters that arrive in pieces', async () => {
    const { chunks, follower, print, untilChunks } = await follow();
    const bytes = Buffer.from('\uFEFFaé✓🚀');
    print('STDOUT', bytes.subarray(0, -1));
    await untilChunks(1);
    expect(textOf(chunks, 'STDOUT')).toBe('\uFEFFaé✓');
    print('STDOUT', bytes.subarray(-1));
    print('STDOUT', Buffer.of(0xf0, 0x9f));
    await follower.finish();
    expect(textOf(chunks, 'STDOUT')).toBe('\uFEFFaé✓🚀\uFFFD');
  });

  it('replaces what PostgreSQL or UTF-8 cannot hold', async () => {
    const { chunks, follower, print } = await follow();
    print('STDERR', Buffer.from([0x61, 0x00, 0x62, 0xff, 0x63]));
    await follower.finish();
    expect(textOf(chunks, 'STDERR')).toBe('a\uFFFDb\uFFFDc');
  });

  it('looks for output every quarter of a second while the command runs', async () => {
    stopClocks('setTimeout', 'clearTimeout', 'Date');
    const { chunks, follower, print } = await follow();
    print('STDOUT', 'one ');
    vi.advanceTimersByTime(249);
    await new Promise(setImmediate);
    expect(chunks).toEqual([]);
    print('STDOUT', 'two');
    print('STDERR', 'three');
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await waitUntil(() => chunks.length === 2, 'it came');
    expect(chunks).toMatchObject([
      { stream: 'STDOUT', sequence: 0, text: 'one two' },
      { stream: 'STDERR', sequence: 1, text: 'three' },
    ]);
    await follower.finish();
    expect(chunks).toHaveLength(2);
  });

  it('passes large output on in chunks of at most 16 KiB', async () => {
    const { chunks, follower, print } = await follow();
    const text = '✓'.repeat(200 * KIB);
    print('STDOUT', text);
    await follower.finish();
    expect(textOf(chunks, 'STDOUT')).toBe(text);
    expect(Math.max(...chunks.map((chunk) => Buffer.byteLength(chunk.text)))).toBeLessThanOrEqual(16 * KIB);
    expect(chunks.map((chunk) => chunk.sequence)).toEqual(chunks.map((_, index) => index));
  });

  it('says once that it cut output, and passes on the end of each stream', async () => {
    const { chunks, follower, print, untilChunks } = await follow(10);
    print('STDOUT', '12345');
    print('STDERR', 'abcde');
    await untilChunks(2);
    print('STDOUT', '✓678');
    print('STDERR', 'more');
    await follower.finish();
    expect(chunks.map(({ stream, text }) => [stream, text])).toEqual([
      ['STDOUT', '12345'],
      ['STDERR', 'abcde'],
      ['STDOUT', '\n[truncated: the run printed more than 10 bytes]\n'],
      ['STDOUT', '✓678'],
      ['STDERR', 'more'],
    ]);
  });

  it('passes on the last 16 KiB of what it cut, also from the file of the end', async () => {
    const { chunks, follower, print, printEnd } = await follow(10);
    print('STDOUT', '1234567890a');
    printEnd('STDOUT', 'b'.repeat(16 * KIB));
    print('STDERR', 'x');
    printEnd('STDERR', 'yz');
    await follower.finish();
    expect(chunks.map(({ text }) => text)).toEqual([
      '1234567890',
      expect.stringContaining('truncated'),
      'b'.repeat(16 * KIB),
      'xyz',
    ]);
    expect(await follower.endOf('STDOUT')).toBe('b'.repeat(16 * KIB));
    expect(await follower.endOf('STDERR')).toBe('xyz');
  });

  it('does not pass on the end twice', async () => {
    const { chunks, follower, print } = await follow(10);
    print('STDOUT', '1234567890abc');
    await follower.finish();
    expect(textOf(chunks, 'STDOUT')).toBe('1234567890\n[truncated: the run printed more than 10 bytes]\nabc');
    expect(await follower.endOf('STDOUT')).toBe('1234567890abc');
  });
});

describe('the next follower', () => {
  it('passes on again exactly what the server may not have, and then the rest', async () => {
    const first = await follow();
    first.print('STDOUT', 'one ');
    await first.untilChunks(1);
    first.print('STDERR', 'two ');
    await first.untilChunks(2);
    first.print('STDOUT', 'three ');
    await first.untilChunks(3);
    first.follower.stored(2);
    first.follower.stop();
    first.print('STDOUT', 'four');
    // The first follower was killed while it wrote a line.
    appendFileSync(first.journal, '{"kind":"PART","stream":"STD');
    const second = await follow(1024 * KIB, first.place);
    expect(second.chunks).toEqual([first.chunks[2]]);
    await second.follower.finish();
    expect(second.chunks.map(({ sequence, text }) => [sequence, text])).toEqual([
      [2, 'three '],
      [3, 'four'],
    ]);
    expect(readFileSync(first.journal, 'utf8')).not.toContain('STD{');
  });

  it('goes on counting to the limit, and repeats the note and the end under the same numbers', async () => {
    const first = await follow(10);
    first.print('STDOUT', '1234567');
    await first.untilChunks(1);
    first.follower.stop();
    first.print('STDOUT', '890abc');
    const second = await follow(10, first.place);
    await second.follower.finish();
    const texts = ['1234567', '890', expect.stringContaining('truncated'), 'abc'];
    expect(second.chunks.map(({ text }) => text)).toEqual(texts);
    second.follower.stored(1);
    const third = await follow(10, first.place);
    await third.follower.finish();
    expect(third.chunks).toEqual(second.chunks.slice(1));
  });
});

describe('firstText', () => {
  it('takes whole characters, at most the limit, and loses no bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => new Uint8Array(Buffer.from(text))),
    );
    fc.assert(
      fc.property(bytes, fc.integer({ min: 4, max: 40 }), (all, limit) => {
        let [start, joined] = [0, ''];
        while (start < all.length) {
          const { text, length } = firstText(all.subarray(start), limit, true);
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
          expect(length).toBeGreaterThan(0);
          joined += text;
          start += length;
        }
        const valid = Buffer.from(all).toString('utf8');
        if (Buffer.from(valid).equals(Buffer.from(all)))
          expect(joined).toBe(valid.replaceAll('\0', '\uFFFD'));
      }),
    );
  });

  it('leaves a character that is not complete for later, unless nothing follows', () => {
    const bytes = Buffer.from('a🚀').subarray(0, 4);
    expect(firstText(bytes, 100, false)).toEqual({ text: 'a', length: 1 });
    expect(firstText(bytes, 100, true)).toEqual({ text: 'a\uFFFD', length: 4 });
  });
});

describe('run: what a command prints', () => {
  it('is limited in memory, on the disk and in total when it is 200 MB', async () => {
    let peak = 0;
    const before = process.memoryUsage().rss;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }, 20);
    const run = await finish(
      shell(
        `head -c 200000000 /dev/zero | tr '\\0' x; echo; echo the end; echo complaint >&2
         stat -c %s ../../.control-*/stdout > "$SLIPWAY_OUTPUTS/_ERROR"; exit 1`,
      ),
    );
    clearInterval(timer);
    expect(run.outcome).toMatchObject({
      kind: 'FAILED',
      exitCode: 1,
      error: { message: String(1024 * KIB + 1) },
    });
    expect(Buffer.byteLength(run.stdout)).toBeLessThan((1024 + 17) * KIB);
    expect(Buffer.byteLength(run.stdout)).toBeGreaterThan((1024 + 15) * KIB);
    expect(run.stdout).toMatch(/x\nthe end\n$/);
    expect(run.stdout.match(/truncated/g)).toHaveLength(1);
    expect(run.stderr).toBe('complaint\n');
    expect(peak).toBeLessThan(120 * 1024 * KIB);
  });

  it('is complete when the command ends right after printing', async () => {
    const run = await finish(node('process.stdout.write("x".repeat(500000) + "\\nend")'));
    expect(run.stdout).toBe(`${'x'.repeat(500_000)}\nend`);
  });

  it('arrives while the command runs', async () => {
    const cancel = new AbortController();
    const run = await finish(shell('echo begun; sleep 600'), {
      signal: cancel.signal,
      onLog: () => cancel.abort(),
    });
    expect([run.outcome.kind, run.stdout]).toEqual(['CANCELLED', 'begun\n']);
  });

  it('is waited for only a short time if a process that has left the run holds the pipe', async () => {
    // It has neither the mark of the run, nor its session.
    const run = await finish(shell('env -i setsid sleep 20 & echo $!; sleep 0.2'));
    const pid = Number(run.stdout);
    expect(run.outcome.kind).toBe('SUCCEEDED');
    process.kill(pid, 'SIGKILL');
  });
});

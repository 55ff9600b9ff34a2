import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { LogCapture } from '../../src/executor/host/log-capture.ts';
import type { LogChunk } from '../../src/executor/host/runtime.ts';
import { stopClocks } from '../support/clock.ts';
import { finish, node, shell, textOf } from './fixture.ts';

const KIB = 1024;

function capture(limitBytes = 1024 * KIB) {
  const chunks: LogChunk[] = [];
  const logs = new LogCapture((chunk) => chunks.push(chunk), limitBytes);
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  logs.follow('STDOUT', stdout);
  logs.follow('STDERR', stderr);
  const end = async () => {
    stdout.end();
    stderr.end();
    await logs.finish(1000);
  };
  return { chunks, logs, stdout, stderr, end };
}

describe('LogCapture', () => {
  it('joins characters that arrive in pieces', async () => {
    const { chunks, stdout, end } = capture();
    for (const byte of Buffer.from('\uFEFFé✓🚀')) {
      stdout.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    stdout.write(Buffer.of(0xf0, 0x9f));
    await end();
    expect(textOf(chunks, 'STDOUT')).toBe('\uFEFFé✓🚀\uFFFD');
  });

  it('replaces what PostgreSQL or UTF-8 cannot hold', async () => {
    const { chunks, stderr, end } = capture();
    stderr.write(Buffer.from([0x61, 0x00, 0x62, 0xff, 0x63]));
    await end();
    expect(textOf(chunks, 'STDERR')).toBe('a\uFFFDb\uFFFDc');
  });

  it('sends output after a quarter of a second while the command runs', async () => {
    stopClocks('setTimeout', 'clearTimeout', 'Date');
    const { chunks, stdout, stderr, end } = capture();
    const at = new Date();
    stdout.write('one ');
    await new Promise(setImmediate);
    vi.advanceTimersByTime(249);
    const later = new Date();
    stdout.write('two');
    stderr.write('three');
    await new Promise(setImmediate);
    expect(chunks).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(chunks).toEqual([
      { stream: 'STDOUT', sequence: 0, text: 'one two', at },
      { stream: 'STDERR', sequence: 1, text: 'three', at: later },
    ]);
    await end();
    expect(chunks).toHaveLength(2);
  });

  it('sends large output at once, in chunks of at most 16 KiB', async () => {
    const { chunks, stdout, end } = capture();
    const text = '✓'.repeat(20 * KIB);
    stdout.write(text);
    await new Promise(setImmediate);
    expect(chunks.length).toBe(3);
    await end();
    expect(textOf(chunks, 'STDOUT')).toBe(text);
    expect(Math.max(...chunks.map((chunk) => Buffer.byteLength(chunk.text)))).toBeLessThanOrEqual(16 * KIB);
    expect(chunks.map((chunk) => chunk.sequence)).toEqual(chunks.map((_, index) => index));
  });

  it('sends a full chunk at once, and keeps the last 16 KiB of what it cut', async () => {
    const { chunks, logs, stdout, end } = capture(16 * KIB);
    stdout.write('a'.repeat(16 * KIB));
    await new Promise(setImmediate);
    expect(chunks.map(({ text }) => text.length)).toEqual([16 * KIB]);
    stdout.write('b'.repeat(40 * KIB));
    await end();
    expect(chunks.slice(2).map(({ text }) => text)).toEqual(['b'.repeat(16 * KIB)]);
    expect(logs.tailOf('STDOUT')).toBe('b'.repeat(16 * KIB));
  });

  it('says once that it cut output, and sends the end of each stream', async () => {
    const { chunks, stdout, stderr, end } = capture(10);
    stdout.write('12345');
    stderr.write('abcde');
    await new Promise(setImmediate);
    stdout.write('✓678');
    stderr.write('more');
    await end();
    expect(chunks.map(({ stream, text }) => [stream, text])).toEqual([
      ['STDOUT', '12345'],
      ['STDERR', 'abcde'],
      ['STDOUT', expect.stringContaining('truncated')],
      ['STDOUT', '✓678'],
      ['STDERR', 'more'],
    ]);
  });

  it('does not send the end twice', async () => {
    const { chunks, logs, stdout, end } = capture(10);
    stdout.write('1234567890');
    await new Promise(setImmediate);
    stdout.write('abc');
    await end();
    expect(textOf(chunks, 'STDOUT')).toMatch(/^1234567890\n\[truncated.*\]\nabc$/);
    expect(logs.tailOf('STDOUT')).toBe('1234567890abc');
  });

  it('stops waiting for a stream that stays open', async () => {
    const { chunks, logs, stdout, stderr } = capture();
    stdout.end('done');
    stderr.write('half');
    await logs.finish(50);
    expect(textOf(chunks, 'STDERR')).toBe('half');
  });
});

describe('run: what a command prints', () => {
  it('is limited in memory and in total when it is 200 MB', async () => {
    let peak = 0;
    const before = process.memoryUsage().rss;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }, 20);
    const run = await finish(
      shell(`head -c 200000000 /dev/zero | tr '\\0' x; echo; echo the end; echo complaint >&2; exit 1`),
    );
    clearInterval(timer);
    expect(run.outcome).toMatchObject({ kind: 'FAILED', exitCode: 1, error: { message: 'complaint' } });
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
});

import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunRecords } from '../../src/executor/host/run-records.ts';
import { log } from '../../src/platform/log.ts';
import { command, createRoot, finish, listFolder, node, shell, waitUntil } from './fixture.ts';

const failure = (code: string, kind = 'USER', message: unknown = expect.any(String)) =>
  expect.objectContaining({ kind: 'FAILED', error: { code, kind, message } });

describe('run: how a command fails', () => {
  it('reports the exit code and the end of standard error', async () => {
    const run = await finish(shell('echo first >&2; echo the reason >&2; exit 3'));
    expect(run.outcome).toEqual({
      kind: 'FAILED',
      error: { code: 'NonZeroExit', kind: 'USER', message: 'first\nthe reason' },
      exitCode: 3,
      signal: null,
    });
  });

  it('limits the message to 2 KiB of whole lines and characters', async () => {
    const run = await finish(
      node('for (let i = 0; i < 500; i++) console.error("é✓ line " + i + "\\0"); process.exitCode = 1'),
    );
    const message = run.outcome.kind === 'FAILED' ? run.outcome.error.message : '';
    expect(message).toMatch(/^é✓ line \d+\uFFFD\n/);
    expect(message).toMatch(/\né✓ line 499\uFFFD$/);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
    expect(Buffer.byteLength(message)).toBeGreaterThan(1900);
    expect(Buffer.from(message).toString()).toBe(message);
  });

  it.each(['', '\\n'])('keeps a message that is one long line before %j', async (end) => {
    const run = await finish(
      node(`process.stderr.write("a" + "✓".repeat(5000) + "${end}"); process.exitCode = 1`),
    );
    expect(run.outcome).toEqual(failure('NonZeroExit', 'USER', '✓'.repeat(682)));
  });

  it('keeps the first 2 KiB of the error file', async () => {
    const run = await finish(shell('head -c 5000 /dev/zero | tr "\\0" x > "$SLIPWAY_OUTPUTS/_ERROR"'));
    expect(run.outcome).toEqual(failure('UserError', 'USER', 'x'.repeat(2048)));
  });

  it.each([
    ['exit 4', 'NonZeroExit', 'the command exited with code 4 and no message'],
    [': > "$SLIPWAY_OUTPUTS/_ERROR"', 'UserError', 'the command wrote an empty error file'],
    [': > "$SLIPWAY_OUTPUTS/_ERROR"; echo why >&2', 'UserError', 'why'],
    [': > "$SLIPWAY_OUTPUTS/_ERROR"; echo why >&2; exit 4', 'NonZeroExit', 'why'],
    ['kill -9 $$', 'Killed', 'the command was killed by SIGKILL'],
  ])('says the most that is known: %s', async (script, code, message) => {
    expect((await finish(shell(script))).outcome).toEqual(failure(code, 'USER', message));
  });

  it('prefers the error file, which also makes an exit code of 0 a failure', async () => {
    const failed = await finish(shell('echo noise >&2; echo "bad rows" > "$SLIPWAY_OUTPUTS/_ERROR"; exit 4'));
    expect(failed.outcome).toEqual(failure('NonZeroExit', 'USER', 'bad rows'));
    const quiet = await finish(shell('echo "bad rows" > "$SLIPWAY_OUTPUTS/_ERROR"'));
    expect(quiet.outcome).toEqual(failure('UserError', 'USER', 'bad rows'));
  });

  it('reports a signal that the executor did not send', async () => {
    const run = await finish(shell('echo working >&2; kill -9 $$'));
    expect(run.outcome).toEqual({
      kind: 'FAILED',
      error: { code: 'Killed', kind: 'USER', message: 'the command was killed by SIGKILL\nworking' },
      exitCode: null,
      signal: 'SIGKILL',
    });
  });

  it('reports a command that cannot be started', async () => {
    const root = await createRoot();
    const plainFile = join(root, 'plain');
    await writeFile(plainFile, '#!/bin/sh\n');
    await chmod(plainFile, 0o644);
    expect((await finish(command(['no-such-program']))).outcome).toEqual(
      failure('CommandNotFound', 'USER', 'the command no-such-program was not found'),
    );
    expect((await finish(command([plainFile]))).outcome).toEqual(failure('CommandNotExecutable'));
    const none = failure('CommandNotFound', 'USER', expect.stringContaining('has no command'));
    expect((await finish(command([]))).outcome).toEqual(none);
    expect((await finish(command(['']))).outcome).toEqual(none);
    expect((await finish(command(['/bin/echo', 'x'.repeat(3_000_000)]))).outcome).toEqual(
      failure('ArgumentsTooLong'),
    );
  });

  it('finds a command in the PATH of the run', async () => {
    const path = await createRoot();
    await writeFile(join(path, 'hello'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    expect((await finish(command(['hello']), { path })).stdout).toBe('hello\n');
    expect((await finish(command(['sh', '-c', ':']), { path })).outcome).toEqual(failure('CommandNotFound'));
  });

  it('refuses to start a run twice', async () => {
    const root = await createRoot();
    const records = new RunRecords(await createRoot(), log);
    const first = shell('sleep 0.3');
    const running = finish(first, { root, records });
    await waitUntil(() => records.hasBegun(first.runId), 'it was noted');
    const refused = failure('RunDirectoryUnavailable', 'SYSTEM');
    expect((await finish(first, { root, records })).outcome).toEqual(refused);
    // Also by another executor, which has its own records.
    await waitUntil(() => existsSync(join(root, first.runId)), 'it had a directory');
    expect((await finish(first, { root })).outcome).toEqual(refused);
    expect((await running).outcome.kind).toBe('SUCCEEDED');
    expect(await listFolder(root)).toEqual([]);
  });

  it.each(['..', '../x', 'a/b', '', '.ended-x'])('refuses the run id %j', async (runId) => {
    expect((await finish(shell(':', { runId }))).outcome).toEqual(
      failure('RunDirectoryUnavailable', 'SYSTEM'),
    );
  });
});

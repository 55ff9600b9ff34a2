import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../src/platform/folder-lock.ts';

const MODULE = new URL('../../src/platform/folder-lock.ts', import.meta.url).href;

let folder: string;
const contenders: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-lock-'));
});
afterEach(async () => {
  for (const one of contenders.splice(0)) {
    if (one.exitCode === null && one.signalCode === null && one.kill('SIGKILL')) await once(one, 'exit');
  }
  await rm(folder, { recursive: true });
});

/** A process that locks the folder when told to, and continues to live. @returns its output after it has tried. */
async function contend(): Promise<{ contender: ChildProcess; go(): Promise<string> }> {
  const script = `
    import { lockFolder } from ${JSON.stringify(MODULE)};
    process.on('message', () => {
      try { lockFolder(process.argv[1]); process.send('locked'); } catch (error) { process.send(error.message); }
    });
    process.send('ready');`;
  const contender = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script, folder],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  contenders.push(contender);
  await once(contender, 'message');
  return {
    contender,
    async go() {
      const answer = once(contender, 'message');
      contender.send('go');
      return String((await answer)[0]);
    },
  };
}

describe('lockFolder', () => {
  it('refuses while the process that holds the folder is alive, and names it', async () => {
    const first = await contend();
    expect(await first.go()).toBe('locked');
    expect(await first.go()).toBe('locked');
    expect(() => lockFolder(folder)).toThrow(`is in use by process ${first.contender.pid}`);
  });

  it('takes over from a process that was killed', async () => {
    const first = await contend();
    await first.go();
    first.contender.kill('SIGKILL');
    await once(first.contender, 'exit');
    lockFolder(folder);
    expect(await readdir(folder)).toEqual(['lock.2']);
  });

  it('ignores a process that has the number of a dead one', async () => {
    await writeFile(join(folder, 'lock.7'), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    lockFolder(folder);
    expect(await readdir(folder)).toEqual(['lock.8']);
    expect((await stat(join(folder, 'lock.8'))).mode & 0o7777).toBe(0o600);
  });

  it('admits one of several processes that find the lock of a dead process at the same time', async () => {
    await writeFile(join(folder, 'lock.1'), '{"pid": 2000000000, "startedAt": "long ago"}');
    const all = await Promise.all(Array.from({ length: 6 }, contend));
    const answers = await Promise.all(all.map(({ go }) => go()));
    expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1);
    expect(answers.filter((answer) => /is in use by process \d+$/.test(answer))).toHaveLength(5);
  });
});

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  identifyProcess,
  isRunning,
  isSameProcess,
  isZombie,
  readStat,
} from '../../src/platform/process-identity.ts';

let child: ChildProcess;
let pid: number;
beforeEach(async () => {
  child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  pid = child.pid ?? 0;
});
afterEach(async () => {
  if (child.kill('SIGKILL')) await once(child, 'exit');
});

describe('the identity of a process', () => {
  it('is the same as long as the process runs, and differs from that of every other process', async () => {
    const identity = identifyProcess(pid);
    if (!identity) throw new Error('no identity');
    expect(isSameProcess(identity, identifyProcess(pid))).toBe(true);
    expect(isSameProcess(identity, { ...identity, startedAt: 'earlier' })).toBe(false);
    expect(isSameProcess(identity, { ...identity, pid: pid + 1 })).toBe(false);
    expect(isSameProcess(identity, null)).toBe(false);
    expect(isRunning(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identifyProcess(pid)).toBeNull();
    expect(isRunning(identity)).toBe(false);
  });
});

describe.runIf(process.platform === 'linux')('readStat', () => {
  it('reads what ps shows', () => {
    const shown = execFileSync('ps', ['-o', 'pid=,pgid=,sid=,nlwp=', '-p', `${pid},${process.pid}`], {
      encoding: 'utf8',
    });
    for (const row of shown.trim().split('\n')) {
      const [one = 0, group, session, threads] = row.trim().split(/\s+/).map(Number);
      expect(readStat(one)).toMatchObject({ pid: one, group, session });
      if (one === pid) expect(readStat(one)).toMatchObject({ threads });
      else expect(readStat(one)?.threads).toBeGreaterThan(1);
    }
    // The name of this process, sleep, has no spaces.
    expect(readStat(pid)?.startTicks).toBe(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]);
    expect(readStat(2 ** 22 + 1)).toBeNull();
  });
});

describe('a zombie', () => {
  const stat = { pid: 5, group: 5, session: 5, startTicks: '1' };
  it.each([
    ['Z', 1, true],
    ['X', 1, true],
    // Its first thread has ended, and the others still run.
    ['Z', 2, false],
    ['S', 1, false],
    ['R', 4, false],
  ])('is a process in state %s with %i threads: %s', (state, threads, is) => {
    expect(isZombie({ ...stat, state, threads })).toBe(is);
    expect(isZombie(null)).toBe(true);
  });
});
